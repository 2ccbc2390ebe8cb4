using System.Globalization;
using System.Text.Json.Nodes;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.Worker.Commands;
using Scoring.Worker.Lanes;

namespace Scoring.EndToEnd.Tests.Verification;

/// <summary>A verifier that cannot fail proves nothing: the worker itself makes the mistakes, under transactions that are taken back again and again.</summary>
public sealed class PlantedBugTests(KafkaBroker broker, TestModel model, ITestOutputHelper output)
{
    private const int EventCount = 2_000;
    private const double AbortShare = 0.3;
    private const double DoubtShare = 0.05;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Transactions_taken_back_and_outcomes_unknown_leave_no_trace(int seed)
    {
        var report = await RunAsync(PlantedBug.None, seed);
        Assert.True((int)report["exit_code"]! == ExitCode.Ok, report.ToJsonString());
        Assert.Equal(0, (int)report["lag"]!);
    }

    [Theory]
    [InlineData((int)PlantedBug.NoUndo)]
    [InlineData((int)PlantedBug.NoSeek)]
    [InlineData((int)PlantedBug.NoOffsets)]
    [InlineData((int)PlantedBug.PositionOffByOne)]
    [InlineData((int)PlantedBug.SwallowedRecord)]
    [InlineData((int)PlantedBug.StateForgotten)]
    [InlineData((int)PlantedBug.UnknownIsDone)]
    [InlineData((int)PlantedBug.UnknownIsTakenBack)]
    [InlineData((int)PlantedBug.LabelsKept)]
    [InlineData((int)PlantedBug.AlertLeftOut)]
    public async Task A_planted_bug_is_caught(int bug)
    {
        var report = await RunAsync((PlantedBug)bug, seed: 1);
        Assert.True((int)report["exit_code"]! == ExitCode.Data || (int)report["lag"]! > 0, "nothing is found, and it came to its end");
    }

    /// <summary>Two workers at once: partitions move from lane to lane while transactions on both sides are taken back.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Workers_that_take_over_from_each_other_leave_no_trace(int seed)
    {
        var report = await RunAsync(PlantedBug.None, seed, overlaps: true);
        Assert.True((int)report["exit_code"]! == ExitCode.Ok, report.ToJsonString());
        Assert.Equal(0, (int)report["lag"]!);
    }

    private async Task<JsonNode> RunAsync(PlantedBug bug, int seed, bool overlaps = false)
    {
        broker.SkipUnlessReal("it does not keep offsets that are committed in a transaction");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 4);
        string group = service.Topics.Prefix;
        await service.VerbAsync("replay", service.WriteHistory(EventCount, seed, withLate: true));
        var planted = new Planted(bug, AbortShare, seed, DoubtShare);

        // A worker that stops while it does not know its last outcome may leave a transaction open, which holds the next one up until it times out: 10 s.
        int patience = bug == PlantedBug.None ? 120 : 30;

        // A third of it, and the rest by a worker that takes over: when the first has ended, or while it still works.
        await using (var first = new WorkerRun(service, group, rowsMax: 16, planted: planted))
        {
            await DoneAsync(service, group, EventCount * 2 / 3, patience);
            if (!overlaps)
            {
                await first.StopAsync(); // With some mistakes it ends by itself.
            }

            await using var second = new WorkerRun(service, group, rowsMax: 16, planted: new Planted(bug, AbortShare, seed + 1_000, DoubtShare));
            if (overlaps)
            {
                await DoneAsync(service, group, EventCount / 3, patience);
                await first.StopAsync();
            }

            await DoneAsync(service, group, 0, patience);
            await second.StopAsync();
        }

        var report = await VerifyAsync(service, group);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bug}, seed {seed}: {report["in"]} in, {string.Join(", ", report["violations"]!.AsObject().Select(line => $"{line.Value!["count"]} {line.Key}"))}, lag {report["lag"]}, {report["feature_values_compared"]} feature values compared"));
        return report;
    }

    /// <summary>Waits until no more than this is left to commit, or nothing has moved for a while: some mistakes never come to the end.</summary>
    private static async Task DoneAsync(TestService service, string group, int left, int patience)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        int standstill = 0;
        for (int before = -1; standstill < patience; await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken))
        {
            var seen = await VerifyAsync(service, group);
            int lag = (int)seen["lag"]!;
            if (lag <= left)
            {
                return;
            }

            standstill = lag == before ? standstill + 1 : 0;
            before = lag;
        }
    }

    private static async Task<JsonNode> VerifyAsync(TestService service, string group)
    {
        var (exitCode, printed, error) = await service.TryVerbAsync(["verify", "--group", group, "--json"]);
        for (int again = 0; exitCode == ExitCode.Unavailable && again < 3; again++)
        {
            (exitCode, printed, error) = await service.TryVerbAsync(["verify", "--group", group, "--json"]); // The broker has its hands full with transactions that are taken back.
        }

        Assert.True(exitCode is ExitCode.Ok or ExitCode.Data, $"{exitCode}: {error}");
        var report = JsonNode.Parse(printed)!;
        report["exit_code"] = exitCode;
        return report;
    }
}
