using CsCheck;
using Scoring.Models.Definitions;

namespace Scoring.Models.Tests.Features;

/// <summary>Shared entities against a scan of settled panes, in one partition and over four that wait for each other.</summary>
public sealed class SharedAggregatesTests
{
    private const long Epoch = 1_700_000_000_000;
    private const int Settle = 2;
    private const int LabelDelay = 20;

    private sealed record Step(int Seconds, int Account, int Merchant, int Amount, bool IsFraud);

    private static readonly FeatureDefinition[] Features =
    [
        Feature("count", 30), Feature("count", 10, delay: 15), Feature("sum", 30, of: "amount"), Feature("mean", 30, of: "amount"), Feature("std", 60, of: "amount"),
        Feature("count", 30, where: "amount > 5"), Feature("label_count", 30), Feature("label_rate", 30), Feature("label_rate", 30, where: "amount > 5"),
    ];

    private static readonly Gen<Step[]> InOrder = Gen.Select(
        Gen.Int[0, 150], Gen.Int[0, 7], Gen.Int[0, 2], Gen.Int[1, 12], Gen.Bool,
        (seconds, account, merchant, amount, isFraud) => new Step(seconds, account, merchant, amount, isFraud)).Array[0, 80]
        .Select(steps => steps.OrderBy(step => step.Seconds).ToArray());

    [Fact]
    public void Every_value_is_the_scans_in_one_partition() => InOrder.Sample(
        steps =>
        {
            using var bench = NewBench(1);
            for (int i = 0; i < steps.Length; i++)
            {
                Assert.Equal(Scan(steps, i), bench.Process($"a{steps[i].Account}", Event(steps[i], i)).ToArray(), Near);
                bench.Label($"t{i}", steps[i].IsFraud ? (sbyte)1 : (sbyte)0);
            }
        },
        iter: 300);

    [Fact]
    public void Every_value_is_the_scans_over_four_partitions_that_wait() => InOrder.Sample(
        steps =>
        {
            using var bench = NewBench(4);
            var queues = Enumerable.Range(0, 4).Select(p => new Queue<int>(Enumerable.Range(0, steps.Length).Where(i => steps[i].Account % 4 == p))).ToArray();
            bool moved = true;
            while (moved)
            {
                moved = false;
                Announce(bench, queues, steps);
                for (int p = 0; p < 4; p++)
                {
                    while (queues[p].TryPeek(out int i) && bench.Horizon($"a{steps[i].Account}", Event(steps[i], i), p) <= bench.Shared.MinWatermarkMs)
                    {
                        Assert.Equal(Scan(steps, i), bench.Process($"a{steps[i].Account}", Event(steps[i], i), p).ToArray(), Near);
                        bench.Label($"t{i}", steps[i].IsFraud ? (sbyte)1 : (sbyte)0, p);
                        queues[p].Dequeue();
                        moved = true;
                        Announce(bench, queues, steps);
                    }
                }
            }

            Assert.All(queues, Assert.Empty);
        },
        iter: 300);

    [Fact]
    public void Contributions_may_come_twice_and_those_of_other_definitions_are_ignored()
    {
        using var bench = NewBench(2);
        bench.Process("a", Event(new Step(0, 0, 0, 5, false), 1), 1);
        var records = new List<(byte[] Key, byte[] Value)>();
        bench.States[1].DrainContributions((key, value) => records.Add((key.ToArray(), value.ToArray())));
        foreach (var (key, value) in records.Concat(records))
        {
            bench.Shared.Apply(1, key, value);
        }

        Assert.Equal(1, bench.Process("b", Event(new Step(20, 0, 0, 5, false), 2), 0)[0]);
        byte[] foreign = [.. records[0].Key];
        foreign[9]++;
        bench.Shared.Apply(1, foreign, records[0].Value);
        bench.Shared.Apply(1, [9, 9], []);
        bench.Shared.Apply(7, records[0].Key, records[0].Value);
        Assert.Equal(3, bench.Shared.Ignored);
        Assert.Equal(1, bench.Shared.KeyCount);
    }

    [Fact]
    public async Task Readers_never_see_half_a_contribution()
    {
        using var bench = NewBench(1);
        using var done = new CancellationTokenSource();
        var plan = bench.Plan.Entities[0];
        int countWord = plan.Shared!.Counters.Single(counter => counter.Value < 0 && counter.Filter == 0).Word;
        int sumWord = plan.Shared.Counters.First(counter => counter.Value >= 0 && counter.Filter == 0).Word + 1;
        var reader = Task.Run(() =>
        {
            long[] sums = new long[plan.Shared.Words * plan.Shared.Windows.Length];
            long reads = 0;
            while (!done.IsCancellationRequested)
            {
                bench.Shared.Read(plan, "m0"u8, Epoch + 5_000, sums);
                Assert.Equal(sums[countWord] * 70_000, sums[sumWord]);
                reads++;
            }

            return reads;
        });
        for (int i = 0; i < 20_000; i++)
        {
            bench.Process($"a{i % 50}", new NaiveEvent($"t{i}", Epoch + (i % 2 * 1000), 700, "m0", null, null));
        }

        await done.CancelAsync();
        Assert.True(await reader > 0);
    }

    private static void Announce(Bench bench, Queue<int>[] queues, Step[] steps)
    {
        for (int p = 0; p < 4; p++)
        {
            if (queues[p].TryPeek(out int next))
            {
                bench.States[p].AdvanceWatermark(Time(steps[next]));
                bench.Exchange(p);
            }
            else
            {
                bench.Exchange(p);
                bench.Shared.SetIdle(p, isIdle: true);
            }
        }
    }

    /// <summary>The rule in plain words: panes of a second, closed <see cref="Settle"/> seconds before; labels from their transaction's time plus the delay.</summary>
    private static double[] Scan(Step[] steps, int current)
    {
        int now = steps[current].Seconds;
        return [.. Features.Select(feature =>
        {
            double delay = Math.Max(feature.Delay?.TotalSeconds ?? 0, feature.Aggregate.StartsWith("label", StringComparison.Ordinal) ? LabelDelay : 0);
            var seen = steps.Where(step => step.Merchant == steps[current].Merchant
                && now - delay - feature.Window!.Value.TotalSeconds < step.Seconds && step.Seconds <= now - delay
                && step.Seconds + 1 <= now - Settle
                && (feature.Where is null || step.Amount > 5)).ToList();
            var amounts = seen.Select(step => (double)step.Amount);
            return feature.Aggregate switch
            {
                "count" => seen.Count,
                "sum" => amounts.Sum(),
                "mean" => amounts.DefaultIfEmpty(double.NaN).Average(),
                "std" => seen.Count == 0 ? double.NaN : Math.Sqrt(amounts.Average(value => Math.Pow(value - amounts.Average(), 2))),
                "label_count" => seen.Count(step => step.IsFraud),
                _ => seen.Count == 0 ? 0 : seen.Count(step => step.IsFraud) / (double)seen.Count,
            };
        })];
    }

    private static bool Near(double one, double other) => (double.IsNaN(one) && double.IsNaN(other)) || Math.Abs(one - other) <= 1e-9;

    private static Bench NewBench(int partitionCount) => new(Bench.Definition(Features, labelDelaySeconds: LabelDelay), partitionCount);

    private static FeatureDefinition Feature(string aggregate, int seconds, string? of = null, int? delay = null, string? where = null) => new()
    {
        Name = $"{aggregate}_{seconds}_{of}_{delay}_{where?.Length}",
        Entity = "merchant",
        Aggregate = aggregate,
        Of = of,
        Where = where,
        Window = TimeSpan.FromSeconds(seconds),
        Delay = delay is { } shift ? TimeSpan.FromSeconds(shift) : null,
    };

    private static long Time(Step step) => Epoch + (step.Seconds * 1000L);

    private static NaiveEvent Event(Step step, int id) => new($"t{id}", Time(step), step.Amount * 100, $"m{step.Merchant}", null, null);
}
