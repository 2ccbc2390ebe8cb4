using Scoring.Benchmarks.Inputs;
using Scoring.Benchmarks.Measuring;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;

namespace Scoring.Benchmarks.Features;

/// <summary>The feature engine over a state much larger than any cache, against random loads over the same memory.</summary>
internal sealed class FeatureRatios : IDisposable
{
    private const int BatchRows = 256;

    // Every sweep moves the events on by this much: an account has ten a day, so that windows hold what they hold in production.
    private const long SweepMs = 8_640_000;
    private const int SettlingSweeps = 12;

    private readonly FeatureEngine engine;
    private readonly PartitionState state;
    private readonly PartitionState?[] states;
    private readonly FeatureBlock block;
    private readonly TransactionBatch[] batches;
    private readonly int rowCount;
    private readonly RandomLoads loads;
    private readonly string name;

    private FeatureRatios(string name, ServiceDefinition definition, int accounts, int merchants, int rowCount)
    {
        this.rowCount = rowCount;
        var decoder = new EventDecoder(definition);
        var plan = FeaturePlan.Compile(definition, decoder.Schema);
        engine = new FeatureEngine(plan, new SharedAggregates(plan, sourceCount: 1));
        state = new PartitionState(plan, partition: 0);
        states = [state];
        block = new FeatureBlock(plan.FeatureCount, BatchRows);
        batches = new TransactionBatch[rowCount / BatchRows];
        var headers = new EventHeaders();
        Fill(decoder, headers, accounts, merchants);
        var stream = new PaymentEvents(seed: 5, accounts, merchants, SweepMs * 1_000 / rowCount);
        for (int i = 0; i < batches.Length; i++)
        {
            batches[i] = new TransactionBatch(decoder.Schema, BatchRows);
            while (!batches[i].IsFull)
            {
                Decode(decoder, headers, stream.Next(), batches[i]);
            }
        }

        for (int sweep = 0; sweep < SettlingSweeps; sweep++)
        {
            Process();
        }

        this.name = FormattableString.Invariant($"features, {name}: {plan.FeatureCount} of {plan.EntityNames.Count} keys, {accounts:#,0} accounts, {state.Bytes >> 20:#,0} MiB");
        loads = new RandomLoads(state.Bytes);
    }

    /// <summary>Runs the contests.</summary>
    /// <param name="pace">How long.</param>
    /// <param name="isQuick">Whether to take a tenth of the keys.</param>
    public static IEnumerable<Ratio> Run(Pace pace, bool isQuick)
    {
        int rows = isQuick ? 16_384 : 131_072;
        using (var velocity = new FeatureRatios("velocity", Definitions.Read(Definitions.Velocity), isQuick ? 100_000 : 1_000_000, 20_000, rows))
        {
            yield return velocity.Run(pace, "<= 0.35");
        }

        var definition = Definitions.CardPayments();
        definition = definition with { Labels = definition.Labels with { RecentTransactionsMax = rows / 16 } }; // So that ids that come again are forgotten in between.
        using var payments = new FeatureRatios("card-payments", definition, isQuick ? 10_000 : 50_000, 2_000, rows / 4);
        yield return payments.Run(pace, "");
    }

    /// <inheritdoc/>
    public void Dispose() => state.Dispose();

    private static void Decode(EventDecoder decoder, EventHeaders headers, byte[] value, TransactionBatch batch)
    {
        var refusal = decoder.Decode(value, isNull: false, headers, PaymentEvents.StartMs + (10 * SweepMs), batch);
        if (!refusal.IsNone)
        {
            throw new InvalidOperationException(refusal.ToString());
        }

        batch.Accept(partition: 0, offset: 0, appendTimeMs: 0);
    }

    // One event of every account, before the others begin.
    private void Fill(EventDecoder decoder, EventHeaders headers, int accounts, int merchants)
    {
        var stream = new PaymentEvents(seed: 4, accounts, merchants, stepMicroseconds: 1);
        var batch = new TransactionBatch(decoder.Schema, BatchRows);
        for (int account = 0; account < accounts; account++)
        {
            Decode(decoder, headers, stream.Next(account, out _), batch);
            if (batch.IsFull || account == accounts - 1)
            {
                engine.Process(batch, 0, batch.RowCount, states, block);
                batch.Clear();
            }
        }
    }

    private Ratio Run(Pace pace, string goal) => Contest.Run(
        name,
        new Side("FeatureEngine", Process),
        new Side(FormattableString.Invariant($"{RandomLoads.LoadsPerEvent} random loads"), () => loads.Run(rowCount)),
        RatioOf.Time,
        goal,
        pace);

    private int Process()
    {
        foreach (var batch in batches)
        {
            engine.Process(batch, 0, BatchRows, states, block);
            long[] times = batch.Times(batch.Schema.EventTime);
            for (int row = 0; row < BatchRows; row++)
            {
                times[row] += SweepMs;
            }
        }

        return rowCount;
    }
}
