using System.Globalization;
using System.Text.RegularExpressions;
using Scoring.Models.Tests;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Tests.History;

namespace Scoring.Trainer.Tests.Labels;

/// <summary>The rules for labels, as cases that a risk analyst can read and add to: a file of <c>golden/</c> each.</summary>
/// <remarks>
/// Lines stand in the order in which the records came; days are those of event and report. They go through recorder, segments and snapshot,
/// in one piece and sealed after every record, and the outcome must be the file's.
/// </remarks>
public sealed partial class LabelGoldenTests : IDisposable
{
    private const string Outcome = "outcome";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("scoring-labels-");

    public static TheoryData<string> Cases() => [.. Directory.EnumerateFiles(Golden, "*.txt").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static string Golden => Path.Combine(RepositoryFiles.Root, "tests", "Scoring.Trainer.Tests", "Labels", "golden");

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Labels_come_to_what_the_file_says(string name)
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Golden, name), TestContext.Current.CancellationToken);
        int outcome = Array.IndexOf(lines, Outcome);
        Assert.True(outcome > 0, $"{name} has no line '{Outcome}'");
        string expected = string.Join('\n', lines[(outcome + 1)..].Where(line => line.Length > 0));

        Assert.Equal(expected, await RunAsync(lines[..outcome], sealEach: false));
        Assert.Equal(expected, await RunAsync(lines[..outcome], sealEach: true));
    }

    private async Task<string> RunAsync(string[] lines, bool sealEach)
    {
        using var open = await SegmentFolder.OpenAsync(Path.Combine(folder.FullName, sealEach ? "each" : "once"), "shop", null, CancellationToken.None);
        var recorder = new HistoryRecorder(RecordedShop.Definition, open);
        var offsets = new Dictionary<SourceKind, long> { [SourceKind.Transactions] = 0, [SourceKind.Labels] = 0 };
        double lookedAt = double.NaN;
        foreach (string line in lines)
        {
            if (LookedAt().Match(line) is { Success: true } at)
            {
                lookedAt = Number(at, "day");
            }
            else if (TransactionLine().Match(line) is { Success: true } transaction)
            {
                recorder.Take(SourceKind.Transactions, RecordedShop.Transaction(0, offsets[SourceKind.Transactions]++, transaction.Groups["id"].Value, Number(transaction, "day")), RecordedShop.NowMs);
            }
            else if (LabelLine().Match(line) is { Success: true } label)
            {
                bool? isFraud = label.Groups["says"].Value switch { "fraud" => true, "honest" => false, _ => null };
                string? supersedes = label.Groups["supersedes"] is { Success: true, Value: var corrected } ? corrected : null;
                recorder.Take(
                    SourceKind.Labels, RecordedShop.Label(0, offsets[SourceKind.Labels]++, label.Groups["id"].Value, label.Groups["of"].Value, isFraud, Number(label, "day"), supersedes), RecordedShop.NowMs);
            }

            if (sealEach)
            {
                await recorder.SealAsync(CancellationToken.None);
            }
        }

        await recorder.SealAsync(CancellationToken.None);
        string path = Path.Combine(folder.FullName, "snapshot.parquet");
        var summary = await HistorySnapshot.WriteAsync(open, RecordedShop.Definition, recorder.Schema, RecordedShop.Until(lookedAt), path, CancellationToken.None);
        var rows = (await RecordedShop.RowsAsync(path, recorder.Schema)).Select(Readable);
        string counts = "labels: " + string.Join(", ", summary.Labels.Named.Where(count => count.Value > 0).Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Key} {count.Value}")));
        return string.Join('\n', rows.Append(counts));
    }

    // partition:offset id time outcome time
    private static string Readable(string row)
    {
        var parts = row.Split(' ');
        string known = parts[^1] == "-" ? "" : string.Create(CultureInfo.InvariantCulture, $", known on day {Day(parts[^1]):0.##}");
        string outcome = string.Join(' ', parts[3..^1]);
        return string.Create(CultureInfo.InvariantCulture, $"{parts[1]} of day {Day(parts[2]):0.##}: {outcome}{known}");
    }

    private static double Day(string time) => (DateTimeOffset.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal) - RecordedShop.Epoch).TotalDays;

    private static double Number(Match match, string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^looked at on day (?<day>[\d.]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex LookedAt();

    [GeneratedRegex(@"^day (?<day>[\d.]+): transaction (?<id>\w+)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex TransactionLine();

    [GeneratedRegex(@"^day (?<day>[\d.]+): label (?<id>\w+) says (?<of>\w+) is (?<says>fraud|honest|undecided)(, supersedes (?<supersedes>\w+))?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex LabelLine();
}
