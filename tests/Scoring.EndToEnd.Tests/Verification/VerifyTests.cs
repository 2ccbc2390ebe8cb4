using System.Text.Json.Nodes;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Verification;

/// <summary>What a worker has published verifies silently; a fault planted among it is named.</summary>
public sealed class VerifyTests(KafkaBroker broker, ITestOutputHelper output)
{
    [Theory]
    [InlineData("card-payments.json")]
    [InlineData("handbook.json")]
    [InlineData("customer-velocity.json")]
    public async Task What_a_worker_publishes_verifies_silently(string shipped)
    {
        using var service = await VerifiedService.RunAsync(broker, shipped, count: 2_000, seed: 11);
        var (exitCode, report) = await service.VerifyAsync();
        output.WriteLine(report);
        Assert.Equal(ExitCode.Ok, exitCode);
        Assert.Matches(@"verify: 20\d\d in, 20\d\d scored, [1-9]\d* refused, 0 lost, 0 duplicated, 0 different, 0 out of order, 0 torn\s*$", report);
        Assert.DoesNotContain("features and decisions", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_planted_fault_is_reported_by_its_own_name()
    {
        using var service = await VerifiedService.RunAsync(broker, "card-payments.json", count: 600, seed: 12);
        foreach (var (name, change, invariant) in Faults())
        {
            var report = await service.VerifyChangedAsync(change);
            Assert.True(
                (int)report["exit_code"]! == (invariant is null ? ExitCode.Ok : ExitCode.Data) && Found(report) == (invariant is null ? "" : $"{invariant} 1"),
                $"{name}: {report.ToJsonString()}");
        }
    }

    private static string Found(JsonNode report) => string.Join(
        ", ",
        report["violations"]!.AsObject().Where(one => (long)one.Value!["count"]! > 0).Select(one => $"{one.Key} {(long)one.Value!["count"]!}"));

    private static IEnumerable<(string Name, Action<Dictionary<string, List<PublishedRecord>>> Change, string? Invariant)> Faults()
    {
        yield return ("nothing", _ => { }, null);
        yield return ("a score removed", all => all["scores"].Remove(Approved(all)), "lost");
        yield return ("a dead letter removed", all => all["dlq"].RemoveAt(3), "lost");
        yield return ("a score twice", all => all["scores"].Add(Approved(all).Copy()), "duplicated");
        yield return ("a dead letter twice", all => all["dlq"].Add(all["dlq"][2].Copy()), "duplicated");
        yield return ("an alert removed", all => all["alerts"].RemoveAt(4), "torn");
        yield return ("an alert twice", all => all["alerts"].Add(all["alerts"][1].Copy()), "torn");
        yield return ("a local feature one off", all => Change(all, "account_count_7d", value => value + 1), "different");
        yield return ("a shared feature one off", all => Change(all, "merchant_count_24h", value => value + 1), "different");
        yield return ("a feature a little off", all => Change(all, "account_amount_ratio_mean_30d", value => value * (1 + 1e-6)), "different");
        yield return ("a label too many", all => Change(all, "account_frauds_30d", value => value + 7), "different");
        yield return ("a rule's name gone", all => all["scores"].First(one => one.Json!["rules"]!.AsArray().Count > 0).Json!["rules"] = new JsonArray(), "different");
        yield return ("two scores swapped", Swap, "out_of_order");
        yield return ("a score in another partition", all => Approved(all).Partition ^= 1, "out_of_order");
        yield return ("a score ahead of the commit", all => Add(all, offset => offset + 1_000_000), "beyond");
    }

    private static PublishedRecord Approved(Dictionary<string, List<PublishedRecord>> all) => all["scores"].Where(one => one.Decision == "approve").ElementAt(100);

    private static void Change(Dictionary<string, List<PublishedRecord>> all, string feature, Func<double, double> change)
    {
        var score = all["scores"].Where(one => one.Decision == "approve" && one.Json!["features"]![feature] is not null).ElementAt(150);
        score.Json!["features"]![feature] = change((double)score.Json!["features"]![feature]!);
    }

    private static void Swap(Dictionary<string, List<PublishedRecord>> all)
    {
        var scores = all["scores"];
        int[] places = [.. Enumerable.Range(0, scores.Count).Where(place => scores[place].Partition == 2)];
        (scores[places[20]], scores[places[21]]) = (scores[places[21]], scores[places[20]]);
    }

    private static void Add(Dictionary<string, List<PublishedRecord>> all, Func<long, long> offset)
    {
        var added = Approved(all).Copy();
        added.SourceOffset = offset(added.SourceOffset);
        all["scores"].Add(added);
    }
}
