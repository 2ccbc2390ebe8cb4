using CsCheck;

namespace Scoring.Worker.Tests.Verification;

/// <summary>The verifier's oracle against the engine: two readings of one documentation that share no code, over streams with late events, ties, repetitions, full rings and labels of every kind.</summary>
public sealed class FeatureOracleTests
{
    private const string Stateless = """
        { "name": "s_value", "aggregate": "value", "of": "amount" }, { "name": "s_log", "aggregate": "log", "of": "amount" },
        { "name": "s_hour", "aggregate": "hour" }, { "name": "s_weekday", "aggregate": "weekday" }, { "name": "s_weekend", "aggregate": "weekend" },
        { "name": "s_night", "aggregate": "night", "hours": [22, 4] }, { "name": "s_member", "aggregate": "membership", "of": "device_id", "values": ["d1", "d3"] },
        { "name": "s_mismatch", "aggregate": "mismatch", "of": "merchant_id", "with": "device_id", "empty": -1 }, { "name": "s_age", "aggregate": "age", "of": "account_created_at" },
        """;

    private const string Windowed = """
        { "name": "count", "entity": "account", "aggregate": "count", "window": "30s" },
        { "name": "count_delayed", "entity": "account", "aggregate": "count", "window": "10s", "delay": "15s", "empty": -1 },
        { "name": "count_big", "entity": "account", "aggregate": "count", "window": "30s", "where": "amount > 5" },
        { "name": "count_surprising", "entity": "account", "aggregate": "count", "window": "30s", "where": "amount > 2 * median && count >= 2 || amount < mean" },
        { "name": "sum", "entity": "account", "aggregate": "sum", "of": "amount", "window": "10s" },
        { "name": "sum_place", "entity": "account", "aggregate": "sum", "of": "latitude", "window": "30s" },
        { "name": "mean", "entity": "account", "aggregate": "mean", "of": "amount", "window": "30s", "where": "amount > 5" },
        { "name": "std", "entity": "account", "aggregate": "std", "of": "amount", "window": "30s" },
        { "name": "min", "entity": "account", "aggregate": "min", "of": "amount", "window": "30s" },
        { "name": "max", "entity": "account", "aggregate": "max", "of": "amount", "window": "10s", "delay": "15s" },
        { "name": "median", "entity": "account", "aggregate": "median", "of": "amount", "window": "30s" },
        { "name": "distinct", "entity": "account", "aggregate": "distinct", "of": "device_id", "window": "30s" },
        { "name": "last", "entity": "account", "aggregate": "time_since_last", "window": "30s" },
        { "name": "to_mean", "entity": "account", "aggregate": "ratio_to_mean", "of": "amount", "window": "30s" },
        { "name": "to_median", "entity": "account", "aggregate": "ratio_to_median", "of": "amount", "window": "30s" },
        { "name": "to_spread", "entity": "account", "aggregate": "ratio_to_spread", "of": "amount", "window": "30s" },
        { "name": "first_30s", "entity": "account", "aggregate": "first_seen", "window": "30s" },
        { "name": "run", "entity": "account", "aggregate": "run_length", "of": "merchant_id", "window": "30s" },
        { "name": "km_30s", "entity": "account", "aggregate": "distance_from_last", "window": "30s" },
        { "name": "frauds", "entity": "account", "aggregate": "label_count", "window": "30s" },
        { "name": "fraud_rate", "entity": "account", "aggregate": "label_rate", "window": "60s", "where": "amount > 2" },
        { "name": "fraud_rate_later", "entity": "account", "aggregate": "label_rate", "window": "30s", "delay": "30s" },
        { "name": "run_age_60s", "entity": "account", "aggregate": "label_run_age", "window": "60s" },
        { "name": "p_count", "entity": "account", "aggregate": "count", "window": "64s", "exact": false },
        { "name": "p_std", "entity": "account", "aggregate": "std", "of": "amount", "window": "64s", "exact": false },
        { "name": "p_max", "entity": "account", "aggregate": "max", "of": "latitude", "window": "64s", "delay": "20s", "exact": false },
        { "name": "p_to_mean", "entity": "account", "aggregate": "ratio_to_mean", "of": "amount", "window": "64s", "where": "amount > 5", "exact": false },
        { "name": "pair_count", "entity": "pair", "aggregate": "count", "window": "30s" },
        { "name": "m_count", "entity": "merchant", "aggregate": "count", "window": "30s" },
        { "name": "m_count_delayed", "entity": "merchant", "aggregate": "count", "window": "10s", "delay": "15s" },
        { "name": "m_sum", "entity": "merchant", "aggregate": "sum", "of": "amount", "window": "30s" },
        { "name": "m_mean", "entity": "merchant", "aggregate": "mean", "of": "latitude", "window": "30s" },
        { "name": "m_std", "entity": "merchant", "aggregate": "std", "of": "amount", "window": "60s" },
        { "name": "m_big", "entity": "merchant", "aggregate": "count", "window": "30s", "where": "amount > 5" },
        { "name": "m_frauds", "entity": "merchant", "aggregate": "label_count", "window": "30s" },
        { "name": "m_rate", "entity": "merchant", "aggregate": "label_rate", "window": "30s", "where": "amount > 2" },
        { "name": "d_count", "entity": "device", "aggregate": "count", "window": "20s" }
        """;

    private const string Unbounded = """
        , { "name": "last_ever", "entity": "account", "aggregate": "time_since_last", "where": "amount > 5" },
        { "name": "first_ever", "entity": "account", "aggregate": "first_seen" },
        { "name": "run_ever", "entity": "account", "aggregate": "run_length", "where": "amount > 5" },
        { "name": "km", "entity": "account", "aggregate": "distance_from_last" },
        { "name": "kmh", "entity": "account", "aggregate": "speed_from_last" },
        { "name": "run_age", "entity": "account", "aggregate": "label_run_age" },
        { "name": "gap", "entity": "account", "aggregate": "label_gap" },
        { "name": "since_honest", "entity": "account", "aggregate": "label_time_since_honest" }
        """;

    private static readonly Gen<OracleStep[]> OutOfOrder = Gen.Select(
        Gen.Int[0, 150], Gen.Int[0, 3], Gen.Int[0, 2], Gen.Int[1, 1_500], Gen.Int[0, 3], Gen.Int[-1, 5], Gen.Int[-2, 1], Gen.Int[0, 45],
        (seconds, account, merchant, amount, place, repeats, label, after) => new OracleStep(seconds, account, merchant, amount, place, repeats, label, after)).Array[0, 70];

    private static readonly Gen<OracleStep[]> NearlyInOrder = OutOfOrder.Select(steps =>
    {
        int[] seconds = [.. steps.Select(step => step.Seconds).Order()];
        return steps.Select((step, i) => step with { Seconds = Math.Max(0, seconds[i] - (step.Id == 5 ? step.ReportedAfter : 0)) }).ToArray();
    });

    [Theory]
    [InlineData(64, 1_000, true)]
    [InlineData(8, 1_000, true)]
    [InlineData(64, 2, true)]
    [InlineData(64, 1_000, false)]
    [InlineData(8, 2, false)]
    public void Nearly_in_order_the_engine_says_what_the_oracle_says(int eventsMax, int keysMax, bool unbounded) =>
        NearlyInOrder.Sample(steps => CheckOne(steps, eventsMax, keysMax, unbounded, scale: 1), iter: 150);

    [Theory]
    [InlineData(64, 1_000, true)]
    [InlineData(8, 2, false)]
    public void Out_of_order_the_engine_says_what_the_oracle_says(int eventsMax, int keysMax, bool unbounded) =>
        OutOfOrder.Sample(steps => CheckOne(steps, eventsMax, keysMax, unbounded, scale: 1), iter: 150);

    [Fact]
    public void Keys_that_were_idle_for_hours_are_forgotten_by_both() =>
        NearlyInOrder.Sample(steps => CheckOne(steps, eventsMax: 64, keysMax: 1_000, unbounded: false, scale: 200), iter: 150);

    [Fact]
    public void Over_three_partitions_that_wait_the_engine_says_what_the_oracle_says() => NearlyInOrder.Sample(CheckPartitions, iter: 150);

    [Fact]
    public void Behind_what_retention_took_the_engine_says_what_the_oracle_says_or_the_oracle_says_nothing() =>
        Gen.Select(NearlyInOrder, Gen.Int[1, 40]).Sample((steps, gone) => CheckCutOff(steps, Math.Min(gone, steps.Length)), iter: 300);

    private static string Definition(int eventsMax, int keysMax, bool unbounded) => $$"""
        {
          "service": "oracle", "events": {}, "labels": { "delay": "20s" },
          "entities": {
            "account": { "key": ["account_id"], "events_max": {{eventsMax}}, "keys_max": {{keysMax}} },
            "pair": { "key": ["account_id", "merchant_id"], "events_max": {{eventsMax}} },
            "merchant": { "key": ["merchant_id"], "shared": { "pane": "1s", "settle": "2s" } },
            "device": { "key": ["device_id"], "shared": { "pane": "2s", "settle": "3s" } }
          },
          "features": [ {{Stateless}} {{Windowed}} {{(unbounded ? Unbounded : "")}} ]
        }
        """;

    private static void CheckOne(OracleStep[] steps, int eventsMax, int keysMax, bool unbounded, int scale)
    {
        using var world = new OracleWorld(Definition(eventsMax, keysMax, unbounded), partitionCount: 1);
        var scaled = steps.Select(step => step with { Seconds = step.Seconds * scale }).ToArray();
        AddLabels(world, scaled, _ => 0);
        for (int i = 0; i < scaled.Length; i++)
        {
            world.Process(OracleWorld.Event(Repeated(scaled, i), IdOf(scaled, i)), 0, i);
        }

        world.Finish();
        Assert.True(steps.Length == 0 || world.Compared > steps.Length * 20);
    }

    private static void CheckCutOff(OracleStep[] steps, int gone)
    {
        using var world = new OracleWorld(Definition(64, 1_000, unbounded: true), partitionCount: 1);
        AddLabels(world, [.. steps.Select((step, i) => i < gone ? step with { Label = -1 } : step)], _ => 0); // A late label of what is gone counts when it is told, and nobody can say of what.
        for (int i = 0; i < steps.Length; i++)
        {
            byte[] value = OracleWorld.Event(Repeated(steps, i), IdOf(steps, i));
            if (i < gone)
            {
                world.ProcessGone(value, 0, i);
                continue;
            }

            if (i == gone)
            {
                world.CutOff(0);
            }

            world.Process(value, 0, i);
        }

        world.Finish();
    }

    private static void CheckPartitions(OracleStep[] steps)
    {
        const int PartitionCount = 3;
        using var world = new OracleWorld(Definition(64, 1_000, unbounded: true), PartitionCount);
        AddLabels(world, steps, step => step.Account % PartitionCount);
        var queues = Enumerable.Range(0, PartitionCount).Select(partition => new Queue<int>(Enumerable.Range(0, steps.Length).Where(i => Repeated(steps, i).Account % PartitionCount == partition))).ToArray();
        bool moved = true;
        while (moved)
        {
            moved = false;
            Announce();
            for (int partition = 0; partition < PartitionCount; partition++)
            {
                while (queues[partition].TryPeek(out int i) && world.Horizon(Bytes(i), partition) <= world.Shared.MinWatermarkMs)
                {
                    world.Process(Bytes(i), partition, i);
                    queues[partition].Dequeue();
                    moved = true;
                    Announce();
                }
            }
        }

        Assert.All(queues, Assert.Empty);
        world.Finish();

        byte[] Bytes(int i) => OracleWorld.Event(Repeated(steps, i), IdOf(steps, i));

        // A partition says how far its next event is, after the labels that come before that.
        void Announce()
        {
            for (int partition = 0; partition < PartitionCount; partition++)
            {
                if (queues[partition].TryPeek(out int next))
                {
                    long timeMs = OracleWorld.Epoch + (Repeated(steps, next).Seconds * 1000L);
                    world.TellLabels(partition, timeMs);
                    world.Exchange(partition, timeMs);
                }
                else
                {
                    world.Exchange(partition, long.MinValue);
                    world.Shared.SetIdle(partition, isIdle: true);
                }
            }
        }
    }

    // Some events come a second time, byte for byte.
    private static OracleStep Repeated(OracleStep[] steps, int i) => steps[IdOf(steps, i)];

    private static int IdOf(OracleStep[] steps, int i) => steps[i].Id == 0 && i > 0 ? i - 1 : i;

    private static void AddLabels(OracleWorld world, OracleStep[] steps, Func<OracleStep, int> partitionOf)
    {
        var labels = steps.Select((step, i) => (Step: step, Id: i)).Where(one => one.Step.Label >= 0).OrderBy(one => one.Step.Seconds + one.Step.ReportedAfter);
        foreach (var (step, id) in labels)
        {
            world.AddLabel(partitionOf(step), id, step.Label == 1, OracleWorld.Epoch + ((step.Seconds + step.ReportedAfter) * 1000L));
        }
    }
}
