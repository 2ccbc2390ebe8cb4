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
        Assert.False((bool)report["stood_still"]!);
    }

    [Theory]
    [InlineData((int)PlantedBug.NoUndo)]
    [InlineData((int)PlantedBug.NoSeek)]
    [InlineData((int)PlantedBug.NoOffsets)]
    [InlineData((int)PlantedBug.PositionOffByOne)]
    [InlineData((int)PlantedBug.SwallowedRecord)]
    [InlineData((int)PlantedBug.StateForgotten)]
    [InlineData((int)PlantedBug.StaleMembership)]
    public async Task A_planted_bug_is_caught(int bug)
    {
        var report = await RunAsync((PlantedBug)bug, seed: 1);
        Assert.True((int)report["exit_code"]! == ExitCode.Data || (int)report["lag"]! > 0 || (bool)report["stood_still"]!, "nothing is found, it never stood still, and it came to its end");
    }

    private async Task<JsonNode> RunAsync(PlantedBug bug, int seed)
    {
        broker.SkipUnlessReal("it does not keep offsets that are committed in a transaction");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 4);
        string group = service.Topics.Prefix;
        await service.VerbAsync("replay", service.WriteHistory(EventCount, seed, withLate: true));
        var planted = new Planted(bug, AbortShare, seed, DoubtShare);

        // A third of it alone, a third while a second worker takes its share over, and the rest by that one.
        bool stoodStill = false;
        await using (var first = new WorkerRun(service, group, rowsMax: 16, planted: planted))
        {
            stoodStill |= !await DoneAsync(service, group, EventCount * 2 / 3);
            await using var second = new WorkerRun(service, group, rowsMax: 16, planted: new Planted(bug, AbortShare, seed + 1_000, DoubtShare));
            stoodStill |= !await DoneAsync(service, group, EventCount / 3);
            await first.StopAsync(); // With some mistakes it ends by itself.
            stoodStill |= !await DoneAsync(service, group, 0);
            await second.StopAsync();
        }

        var report = await VerifyAsync(service, group);
        report["stood_still"] = stoodStill;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bug}, seed {seed}: {report["in"]} in, {string.Join(", ", report["violations"]!.AsObject().Select(line => $"{line.Value!["count"]} {line.Key}"))}, lag {report["lag"]}{(stoodStill ? ", stood still" : "")}, {report["feature_values_compared"]} feature values compared"));
        return report;
    }

    /// <summary>Waits until no more than this is left to commit, or nothing has moved for a while: some mistakes never come to the end.</summary>
    /// <returns>False when nothing has moved.</returns>
    private static async Task<bool> DoneAsync(TestService service, string group, int left)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        int standstill = 0;
        for (int before = -1; standstill < 20; await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken))
        {
            var seen = await VerifyAsync(service, group);
            int lag = (int)seen["lag"]!;
            if (lag <= left)
            {
                return true;
            }

            standstill = lag == before ? standstill + 1 : 0;
            before = lag;
        }

        return false;
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
