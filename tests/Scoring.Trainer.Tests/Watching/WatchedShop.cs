using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Prometheus;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Tests.History;
using Scoring.Trainer.Training;
using Scoring.Trainer.Watching;

namespace Scoring.Trainer.Tests.Watching;

/// <summary>Sixty days of a shop whose frauds change their habit on day 30, and a trainer that watches them without a broker: publishes into a folder.</summary>
/// <param name="path">The trainer's folder.</param>
/// <param name="key">Signs.</param>
/// <param name="dearerFromDay">Day from which everything costs three times as much.</param>
internal sealed class WatchedShop(string path, PackageKey key, double dearerFromDay = double.PositiveInfinity)
{
    public const int Days = 60;

    public static readonly WatchSettings Settings = new()
    {
        Cron = "0 0 * * 1",
        EventClock = true,
        TrainingDays = 8,
        JudgedDays = 5,
        Learner = new LearnerSettings { Trees = 20, Leaves = 6, Bins = 500 },
        Gate = new ChampionGate { FraudsMin = 8 },
    };

    private static readonly ServiceDefinition Definition = RecordedShop.Definition;

    public List<string> Log { get; } = [];

    public string Published => Path.Combine(path, "published");

    /// <summary>The packages on offer, in sequence.</summary>
    public IReadOnlyList<ModelPackage> Packages =>
    [
        .. Directory.EnumerateFiles(Published, "*.fsmodel").Order(StringComparer.Ordinal)
            .Select(file => PackageVerifier.Look(File.ReadAllBytes(file), new VerificationPolicy { AcceptedKeys = [key] }).Package!),
    ];

    /// <summary>Decisions by their file, each as a text that does not hold what may differ.</summary>
    public IReadOnlyList<string> Decisions => [.. Directory.EnumerateFiles(Path.Combine(path, "decisions")).Order(StringComparer.Ordinal).Select(File.ReadAllText)];

    public static string OutcomeOf(string decision) => JsonDocument.Parse(decision).RootElement.GetProperty("outcome").GetString()!;

    /// <summary>Records all days if they are not yet, then decides on what is due.</summary>
    public async Task RunAsync(WatchSettings settings, Action<WatchStep>? onStep = null, double untilDay = Days)
    {
        var folder = new WatchFolder(path, Definition.Service);
        using var history = await SegmentFolder.OpenAsync(folder.History, Definition.Service, onStep: null, CancellationToken.None);
        var recorder = new HistoryRecorder(Definition, history);
        foreach (var (kind, record) in Stream().Where(item => item.Record.AppendTimeMs < RecordedShop.Day(untilDay)))
        {
            recorder.Take(kind, record, RecordedShop.NowMs);
        }

        await recorder.SealAsync(CancellationToken.None);
        var plan = FeaturePlan.Compile(Definition, EventSchema.From(Definition));
        var watcher = new Watcher(
            settings,
            new Challenge(Definition, plan, settings, key, [key]),
            new DriftCheck(Definition, plan, settings, [key]),
            history,
            recorder,
            folder,
            new FolderChannel(Published, [key]),
            new TrainerMetrics(Metrics.NewCustomRegistry()),
            new FakeTimeProvider(),
            Log.Add,
            onStep);
        await watcher.AdvanceAsync(recorder.LastEventMs!.Value, CancellationToken.None);
    }

    /// <summary>Frauds are large payments first, from day 30 on tiny ones; reported three days later.</summary>
    public IEnumerable<(SourceKind Kind, SourceRecord Record)> Stream()
    {
        const int PerDay = 150;
        var random = new Random(17);
        var reports = new Queue<(double Day, string Transaction)>();
        long labelOffset = 0;
        for (int i = 0; i < Days * PerDay; i++)
        {
            double day = (double)i / PerDay;
            while (reports.TryPeek(out var report) && report.Day <= day)
            {
                reports.Dequeue();
                yield return (SourceKind.Labels, RecordedShop.Label(0, labelOffset, string.Create(CultureInfo.InvariantCulture, $"l{labelOffset}"), report.Transaction, true, report.Day));
                labelOffset++;
            }

            double amount = 5 + (random.NextDouble() * random.NextDouble() * 300);
            bool isSuspicious = day < 30 ? amount > 180 : amount < 9;
            double charged = day >= dearerFromDay ? amount * 3 : amount;
            string id = string.Create(CultureInfo.InvariantCulture, $"t{i}");
            if (random.NextDouble() < (isSuspicious ? 0.5 : 0.002))
            {
                reports.Enqueue((day + 3, id));
            }

            int card = random.Next(80);
            yield return (SourceKind.Transactions, RecordedShop.Transaction(card % 3, i, id, day, card, charged));
        }
    }
}
