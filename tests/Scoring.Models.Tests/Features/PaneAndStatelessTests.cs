using CsCheck;
using Scoring.Models.Definitions;

namespace Scoring.Models.Tests.Features;

/// <summary>Windows kept in panes against a scan by pane numbers; features of the event alone against the calendar.</summary>
public sealed class PaneAndStatelessTests
{
    private const long Epoch = 1_700_000_000_000;
    private const long PaneMs = 2_000;   // windows of 64 seconds

    [Fact]
    public void A_pane_window_reads_its_own_pane_and_the_31_before() =>
        Gen.Select(Gen.Int[0, 200], Gen.Int[1, 9]).Array[0, 60].Sample(
            steps =>
            {
                string[] aggregates = ["count", "sum", "mean", "std", "min", "max", "ratio_to_mean"];
                using var bench = new Bench(Bench.Definition(
                    [.. aggregates.Select(name => Feature(name, null)), Feature("count", 30), Feature("mean", 30)]));
                var ordered = steps.OrderBy(step => step.Item1).ToArray();
                for (int i = 0; i < ordered.Length; i++)
                {
                    var (seconds, amount) = ordered[i];
                    var seen = ordered.Take(i + 1).ToList();
                    double[] now = In(seen, seconds, 0);
                    double[] delayed = In(seen, seconds, 30);
                    double mean = now.Average();
                    double[] expected =
                    [
                        now.Length, now.Sum(), mean, Math.Sqrt(now.Average(value => Math.Pow(value - mean, 2))), now.Min(), now.Max(), amount / mean,
                        delayed.Length, delayed.DefaultIfEmpty(double.NaN).Average(),
                    ];
                    double[] values = bench.Process("a", new($"t{i}", Epoch + (seconds * 1000L), amount * 100, "m", null, null)).ToArray();
                    Assert.Equal(expected, values, (one, other) => (double.IsNaN(one) && double.IsNaN(other)) || Math.Abs(one - other) < 1e-9);
                }
            },
            iter: 300);

    [Fact]
    public void Stateless_features_follow_the_calendar() =>
        Gen.Long[946_684_800_000, 4_102_444_800_000].Sample(time =>
        {
            using var bench = new Bench(Bench.Definition(
            [
                new() { Name = "hour", Aggregate = "hour" },
                new() { Name = "weekday", Aggregate = "weekday" },
                new() { Name = "weekend", Aggregate = "weekend" },
                new() { Name = "night", Aggregate = "night", Hours = [22, 4] },
                new() { Name = "value", Aggregate = "value", Of = "amount" },
                new() { Name = "log", Aggregate = "log", Of = "amount" },
                new() { Name = "member", Aggregate = "membership", Of = "merchant_id", Values = ["x", "m"] },
                new() { Name = "mismatch", Aggregate = "mismatch", Of = "merchant_id", With = "terminal_id", Empty = -1 },
                new() { Name = "age", Aggregate = "age", Of = "account_created_at" },
            ]));
            var when = DateTimeOffset.FromUnixTimeMilliseconds(time);
            int weekday = ((int)when.DayOfWeek + 6) % 7;
            double[] expected = [when.Hour, weekday, weekday >= 5 ? 1 : 0, when.Hour is >= 22 or <= 4 ? 1 : 0, 12.34, Math.Log(13.34), 1, -1, double.NaN];
            Assert.Equal(expected, bench.Process("a", new("t", time, 1234, "m", null, null)).ToArray());
        }, iter: 200);

    /// <summary>Amounts of the events in the 32 panes that end with the one of this time.</summary>
    private static double[] In(List<(int Seconds, int Amount)> seen, int nowSeconds, int delaySeconds)
    {
        long newest = Pane(nowSeconds - delaySeconds);
        return [.. seen.Where(one => Pane(one.Seconds) <= newest && Pane(one.Seconds) > newest - 32).Select(one => (double)one.Amount)];
    }

    private static long Pane(int seconds) => (Epoch + (seconds * 1000L)) / PaneMs;

    private static FeatureDefinition Feature(string aggregate, int? delay) => new()
    {
        Name = $"{aggregate}_{delay}",
        Entity = "account",
        Aggregate = aggregate,
        Of = aggregate is "count" ? null : "amount",
        Window = TimeSpan.FromSeconds(64),
        Delay = delay is { } shift ? TimeSpan.FromSeconds(shift) : null,
        Exact = false,
    };
}
