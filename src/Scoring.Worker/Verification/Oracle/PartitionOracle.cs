using Scoring.Models.Definitions;
using Scoring.Models.Events;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>One input partition from its first retained event on: its watermark, its keys, its labels.</summary>
internal sealed class PartitionOracle
{
    private readonly int partition;
    private readonly LocalEntityOracle[] locals;
    private readonly SharedEntityOracle[] shared;
    private readonly LabelLedger? ledger;

    /// <summary>Starts before the first event.</summary>
    /// <param name="partition">Its number.</param>
    /// <param name="definition">The definition.</param>
    /// <param name="features">Its features, by entity.</param>
    /// <param name="shared">What partitions have in common.</param>
    /// <param name="schema">Columns of the events.</param>
    /// <param name="labels">Its labels in offset order; null where no feature looks at labels.</param>
    public PartitionOracle(int partition, ServiceDefinition definition, ILookup<string, OracleFeature> features, SharedEntityOracle[] shared, EventSchema schema, LabelQueue? labels)
    {
        this.partition = partition;
        this.shared = shared;
        locals = [.. definition.Entities.Where(entity => entity.Value.Shared is null && features.Contains(entity.Key)).Select(entity => new LocalEntityOracle(entity.Value, features[entity.Key], schema))];
        ledger = labels is null ? null : new LabelLedger(labels, locals, shared, definition.Labels);
    }

    /// <summary>Latest event time, ms since 1970 UTC; null before the first.</summary>
    public long? WatermarkMs { get; private set; }

    /// <summary>Takes the next event in and computes what needs no other partition.</summary>
    /// <param name="batch">Its batch.</param>
    /// <param name="row">Its row.</param>
    /// <param name="expected">Receives the values of features of local entities, and NaN for shared ones whose key the event lacks.</param>
    /// <param name="reader">Waits at the keys of shared entities; null when nobody asks.</param>
    public void Take(TransactionBatch batch, int row, Expectation[] expected, OracleRow? reader)
    {
        long watermarkMs = Pass(batch.EventTimesMs[row]);
        var label = new LabelState();
        foreach (var entity in locals)
        {
            entity.Take(batch, row, label, watermarkMs, expected);
        }

        var parts = new SharedPart[shared.Length];
        for (int i = 0; i < shared.Length; i++)
        {
            var entity = shared[i];
            var target = entity.KeyOf(batch, row);
            foreach (var slot in entity.Slots)
            {
                expected[slot.Feature.Index] = target is null ? Expectation.Of(double.NaN) : Expectation.Unknown;
            }

            if (target is not null)
            {
                parts[i] = new SharedPart(target, entity.Passes(batch, row));
                entity.Give(target, batch, row, partition, watermarkMs, parts[i].Passes);
                if (reader is not null)
                {
                    target.Readers.Add(reader);
                }
            }
        }

        ledger?.Remember(batch, row, label, parts, watermarkMs);
    }

    /// <summary>Passes an event that counts in nothing, but in time.</summary>
    /// <returns>The watermark from now on.</returns>
    public long Pass(long timeMs)
    {
        ledger?.TellUpTo(timeMs, WatermarkMs);
        long watermarkMs = Math.Max(WatermarkMs ?? timeMs, timeMs);
        WatermarkMs = watermarkMs;
        return watermarkMs;
    }

    /// <summary>Tells the labels behind the last event: when a silent partition does so is not fixed.</summary>
    public void End() => ledger?.TellRest(WatermarkMs);
}

/// <summary>A key of a shared entity that an event belongs to, with the filters it passes.</summary>
/// <param name="Key">The key; null where the event has none.</param>
/// <param name="Passes">By feature of the entity.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct SharedPart(SharedKeyOracle? Key, bool[] Passes);
