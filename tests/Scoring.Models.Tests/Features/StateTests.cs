using System.Globalization;
using CsCheck;
using Scoring.Models.Definitions;
using Scoring.Models.Features;

namespace Scoring.Models.Tests.Features;

/// <summary>What a partition remembers: bounded, taken back by a rollback, the same whatever its transactions were.</summary>
public sealed class StateTests
{
    private const long Epoch = 1_700_000_000_000;

    internal sealed record Step(int Kind, int Seconds, int Account, int Merchant, int Amount, int Target);

    internal static readonly Gen<Step[]> Steps = Gen.Select(
        Gen.Int[0, 9], Gen.Int[0, 20_000], Gen.Int[0, 9], Gen.Int[0, 5], Gen.Int[1, 9], Gen.Int[0, 80],
        (kind, seconds, account, merchant, amount, target) => new Step(kind, seconds, account, merchant, amount, target)).Array[1, 80];

    [Fact]
    public void A_rollback_leaves_the_state_as_it_was_and_the_work_can_be_done_again() =>
        Gen.Select(Steps, Steps).Sample((before, inside) =>
        {
            using var bench = TightBench(partitionCount: 2);
            using var undisturbed = TightBench(partitionCount: 2);
            Run(bench, before, 0);
            Run(undisturbed, before, 0);
            var hash = bench.State.Hash();
            long offset = bench.NextOffset;
            bench.State.Begin();
            Run(bench, inside, 1000);
            bench.Exchange(0);
            bench.State.Rollback();
            Assert.Equal(hash, bench.State.Hash());

            bench.NextOffset = offset;
            bench.State.Begin();
            Run(bench, inside, 1000);
            bench.State.Commit();
            Run(undisturbed, inside, 1000);
            Assert.Equal(undisturbed.State.Hash(), bench.State.Hash());
            Assert.Equal(Drained(undisturbed), Drained(bench));
        }, iter: 300);

    [Fact]
    public void A_rollback_tells_again_what_others_were_told_before() =>
        Gen.Select(Steps, Steps).Sample((before, inside) =>
        {
            using var bench = TightBench(partitionCount: 2);
            var told = new Dictionary<string, string>(StringComparer.Ordinal);
            Run(bench, before, 0, () => Tell(bench, told));
            Tell(bench, told);
            var toldAtBegin = new Dictionary<string, string>(told, StringComparer.Ordinal);
            var hash = bench.State.Hash();
            bench.State.Begin();
            Run(bench, inside, 1000, () => Tell(bench, told));
            bench.State.Rollback((key, value) =>
            {
                string name = Convert.ToHexString(key);
                var sum = toldAtBegin.ContainsKey(name) || value.ContainsAnyExcept((byte)0) ? value : []; // Zeros: there was none.
                Assert.Equal(toldAtBegin.GetValueOrDefault(name, ""), Convert.ToHexString(sum));
                Note(told, name, sum);
            });
            Assert.Equal(hash, bench.State.Hash());
            Assert.Equal(toldAtBegin, told);
        }, iter: 1_000);

    [Fact]
    public void Changed_records_bring_a_copy_of_the_state_up_to_date() =>
        Gen.Select(Steps, Steps).Sample((before, inside) =>
        {
            using var bench = TightBench(partitionCount: 2);
            var copy = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var steps in new[] { before, inside })
            {
                bench.State.Begin();
                Run(bench, steps, ReferenceEquals(steps, before) ? 0 : 1000);
                bench.State.VisitChanges((entity, key, record) =>
                {
                    string name = $"{entity} {Convert.ToHexString(key)}";
                    if (record.IsEmpty)
                    {
                        copy.Remove(name);
                    }
                    else
                    {
                        copy[name] = Convert.ToHexString(record);
                    }
                });
                bench.State.Commit();
            }

            // A transaction that touches everything would tell everything: what the copy must be.
            int held = Enumerable.Range(0, bench.Plan.EntityNames.Count).Sum(bench.State.KeyCount);
            Assert.Equal(held, copy.Keys.Count(name => name[0] - '0' < bench.Plan.EntityNames.Count));
        }, iter: 200);

    [Fact]
    public void Keys_beyond_the_bound_push_out_the_one_unused_for_longest()
    {
        using var bench = new Bench(Bench.Definition([Count("account", 1_000_000)], new() { Key = ["account_id"], KeysMax = 3 }));
        string[] accounts = ["a", "b", "c", "a", "d", "b"];
        double[] counts = [.. accounts.Select((account, i) => bench.Process(account, Event(i, i))[0])];

        // d pushed out b, not a, which had been used again; b came back with nothing and pushed out c.
        Assert.Equal([1, 1, 1, 2, 1, 1], counts);
        Assert.Equal(2, bench.State.Counters.KeysEvicted);
        Assert.Equal(3, bench.State.KeyCount(0));
    }

    [Fact]
    public void Keys_idle_for_longer_than_their_windows_are_dropped_when_others_come()
    {
        using var bench = new Bench(Bench.Definition([Count("account", 60)]));
        for (int i = 0; i < 100; i++)
        {
            bench.Process($"old{i}", Event(i, i));
        }

        for (int i = 0; i < 60; i++)
        {
            bench.Process($"new{i}", Event(1000 + i, 10_000 + i));
        }

        Assert.Equal(60, bench.State.KeyCount(0));
        Assert.Equal(100, bench.State.Counters.KeysExpired);
        Assert.Equal(0, bench.State.Counters.KeysEvicted);
    }

    [Fact]
    public void A_key_longer_than_its_bound_is_counted_and_its_features_are_missing()
    {
        using var bench = new Bench(Bench.Definition([Count("account", 60)], new() { Key = ["account_id"], KeyBytesMax = 8 }));
        Assert.Equal(1, bench.Process("12345678", Event(1, 1))[0]);
        Assert.Equal(double.NaN, bench.Process("123456789", Event(2, 2))[0]);
        Assert.Equal(1, bench.State.Counters.KeysTooLong);
    }

    [Fact]
    public void Nothing_is_allocated_per_event_once_the_keys_are_known()
    {
        using var bench = TightBench(partitionCount: 1);
        var batch = bench.Batch(Enumerable.Range(0, 4000).Select(i => ($"a{i % 4}", Event(i, i / 20, i % 5))));
        var block = new FeatureBlock(bench.Plan.FeatureCount, batch.RowCount);
        Run();   // keys, slabs, panes and undo log take the size they need
        Assert.Contains(0, Enumerable.Range(0, 5).Select(_ => Run()).ToList()); // A collection that another test brings about may be counted here.

        long Run()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            bench.State.Begin();
            bench.Engine.Process(batch, 0, batch.RowCount, bench.States, block);
            bench.State.Commit();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void The_plan_states_its_bytes_per_key_and_what_decides_a_value_is_in_its_digest()
    {
        var definition = Bench.Definition([Count("account", 60)]);
        using var bench = new Bench(definition);
        using var other = new Bench(definition with { Features = [Count("account", 61)] });
        using var told = new Bench(definition with { Features = [Count("account", 60) with { Text = "{value} payments" }] });

        var entities = definition.Entities.ToDictionary(entity => entity.Key, entity => entity.Value with { KeysMax = 77, EventsMax = 16 }, StringComparer.Ordinal);
        using var tight = new Bench(definition with { Entities = entities, Labels = definition.Labels with { RecentTransactionsMax = 5 } });

        // 64-byte key and its length, 5 words of header, 1 of cursors, 64 events of their time alone, 32 bytes of links and table.
        Assert.Equal((8 + 64) + (5 * 8) + 8 + (64 * 8) + 32, bench.Plan.BytesPerKey(0));
        Assert.NotEqual(bench.Plan.Digest, other.Plan.Digest);
        Assert.Equal(bench.Plan.Digest, told.Plan.Digest);
        Assert.Equal(bench.Plan.Digest, tight.Plan.Digest); // Limits decide a value only where they are met, and are raised without a new model.
    }

    /// <summary>Few keys, few events, every kind of table: all the bounds are met.</summary>
    internal static Bench TightBench(int partitionCount) => new(
        Bench.Definition(
            [
                .. AggregateTable.All.Select(row => row.Feature),
                new() { Name = "account_hazard", Entity = "account", Aggregate = "label_hazard" },
                new() { Name = "account_panes", Entity = "account", Aggregate = "std", Of = "amount", Window = TimeSpan.FromSeconds(64), Exact = false },
                Count("merchant", 60),
                new() { Name = "merchant_risk", Entity = "merchant", Aggregate = "label_rate", Window = TimeSpan.FromSeconds(60) },
                new() { Name = "merchant_std", Entity = "merchant", Aggregate = "std", Of = "amount", Window = TimeSpan.FromSeconds(60) },
            ],
            new() { Key = ["account_id"], EventsMax = 8, KeysMax = 4 },
            new() { Key = ["merchant_id"], KeysMax = 20, Shared = new() { Pane = TimeSpan.FromSeconds(1), Settle = TimeSpan.FromSeconds(2) } },
            recentMax: 30),
        partitionCount);

    private static FeatureDefinition Count(string entity, int seconds) =>
        new() { Name = $"{entity}_count", Entity = entity, Aggregate = "count", Window = TimeSpan.FromSeconds(seconds) };

    private static NaiveEvent Event(int id, int seconds, int merchant = 0) =>
        new(id.ToString(CultureInfo.InvariantCulture), Epoch + (seconds * 1000L), 1000 + (id % 7), $"m{merchant}", null, null);

    internal static void Run(Bench bench, Step[] steps, int firstId, Action? exchange = null)
    {
        for (int i = 0; i < steps.Length; i++)
        {
            var step = steps[i];
            if (step.Kind <= 2)
            {
                bench.Label((firstId + step.Target).ToString(CultureInfo.InvariantCulture), (sbyte)(step.Kind - 1));
            }
            else if (step.Kind == 3 && exchange is not null)
            {
                exchange();
            }
            else if (step.Kind == 3)
            {
                bench.Exchange(0);
            }
            else
            {
                bench.Process($"a{step.Account}", Event(firstId + i, step.Seconds / (step.Kind == 4 ? 1 : 100), step.Merchant) with { AmountMinor = step.Amount * 111 });
            }
        }
    }

    /// <summary>Tells the others what is due, and notes it as they would.</summary>
    private static void Tell(Bench bench, Dictionary<string, string> told) => bench.State.DrainContributions((key, value) =>
    {
        bench.Shared.Apply(0, key, value);
        if (key.Length > 6)
        {
            Note(told, Convert.ToHexString(key), value); // The shorter ones are watermarks.
        }
    });

    private static void Note(Dictionary<string, string> told, string key, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            told.Remove(key);
        }
        else
        {
            told[key] = Convert.ToHexString(value);
        }
    }

    private static List<string> Drained(Bench bench)
    {
        var records = new List<string>();
        bench.State.DrainContributions((key, value) => records.Add($"{Convert.ToHexString(key)}={Convert.ToHexString(value)}"));
        records.Sort(StringComparer.Ordinal);
        return [.. records.Distinct(StringComparer.Ordinal)];
    }
}
