using Scoring.Models.Definitions;
using Scoring.Models.Events;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>What every feature of a definition must be, written down from the documented meaning and from nothing that the worker computes with.</summary>
/// <remarks>
/// Plain lists and dictionaries. Each partition is read from its beginning, in offset order, in any order of partitions; shared entities
/// are read at the end, when all have given what they have.
/// </remarks>
internal sealed class FeatureOracle
{
    /// <summary>An event later than this behind its partition may find panes gone, ms.</summary>
    private const long LateMs = 3_600_000;

    private static readonly HashSet<string> NotKnown = new(["label_hazard"], StringComparer.Ordinal);

    private readonly PartitionOracle[] partitions;
    private readonly SharedEntityOracle[] shared;
    private readonly OracleFeature[] stateless;
    private readonly long?[] cutOffFromMs;
    private readonly bool[] awaitsFirst;

    /// <summary>Starts before every event.</summary>
    /// <param name="definition">A checked definition.</param>
    /// <param name="schema">Columns of its events.</param>
    /// <param name="labels">Labels by partition; null where they are not read.</param>
    /// <param name="partitionCount">Partitions of the input.</param>
    public FeatureOracle(ServiceDefinition definition, EventSchema schema, IReadOnlyList<LabelQueue>? labels, int partitionCount)
    {
        Features = [.. definition.Features.Select((feature, index) => new OracleFeature(index, feature, definition, schema))];
        var byEntity = Features.Where(feature => feature.Entity is not null).ToLookup(feature => feature.Entity!, StringComparer.Ordinal);
        stateless = [.. Features.Where(feature => feature.Entity is null)];
        SharedNames = [.. definition.Entities.Where(entity => entity.Value.Shared is not null && byEntity.Contains(entity.Key)).Select(entity => entity.Key)];
        shared = [.. SharedNames.Select(name => new SharedEntityOracle(definition.Entities[name], byEntity[name], schema, definition.Labels.Delay))];
        partitions = [.. Enumerable.Range(0, partitionCount).Select(partition => new PartitionOracle(partition, definition, byEntity, shared, schema, labels?[partition]))];
        cutOffFromMs = new long?[partitionCount];
        awaitsFirst = new bool[partitionCount];
        IsShared = [.. Features.Select(feature => feature.Entity is { } entity && definition.Entities[entity].Shared is not null)];
        NotChecked = [.. Features.Where(feature => NotKnown.Contains(feature.Aggregate) || (feature.OfLabels && labels is null)).Select(feature => feature.Name)];
    }

    /// <summary>The features, in the order of the definition.</summary>
    public IReadOnlyList<OracleFeature> Features { get; }

    /// <summary>By feature: whether it looks at what several partitions see.</summary>
    public IReadOnlyList<bool> IsShared { get; }

    /// <summary>Names of the shared entities.</summary>
    public IReadOnlyList<string> SharedNames { get; }

    /// <summary>The shared entities, as <see cref="SharedNames"/>.</summary>
    public IReadOnlyList<SharedEntityOracle> Shared => shared;

    /// <summary>Features that are not known here: nothing is said about them.</summary>
    public IReadOnlyList<string> NotChecked { get; }

    /// <summary>Events so far behind their partition that nothing is said about their shared features.</summary>
    public long TooLate { get; private set; }

    /// <summary>The watermark of a partition, ms since 1970 UTC; null before its first event.</summary>
    public long? WatermarkMs(int partition) => partitions[partition].WatermarkMs;

    /// <summary>Says that a partition's input no longer begins with its first event: what looks further back is not known.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="latestMs">Latest event time before its beginning, ms since 1970 UTC: the first event that is left may be a late one. Null where nobody tells.</param>
    public void IsCutOff(int partition, long? latestMs) => (cutOffFromMs[partition], awaitsFirst[partition]) = (latestMs ?? long.MinValue, true);

    /// <summary>Takes the next event of a partition in.</summary>
    /// <param name="batch">Its batch.</param>
    /// <param name="row">Its row.</param>
    /// <param name="partition">Its partition.</param>
    /// <param name="expected">Receives a value for each feature; unknown for shared ones, which come by <see cref="ReadShared"/>.</param>
    /// <param name="reader">Waits for the shared ones; null when nobody asks.</param>
    public void Take(TransactionBatch batch, int row, int partition, Expectation[] expected, OracleRow? reader)
    {
        long timeMs = batch.EventTimesMs[row];
        if (awaitsFirst[partition])
        {
            (cutOffFromMs[partition], awaitsFirst[partition]) = (Math.Max(cutOffFromMs[partition]!.Value, timeMs), false);
        }

        bool isTooLate = timeMs < partitions[partition].WatermarkMs - LateMs;
        TooLate += reader is not null && isTooLate ? 1 : 0;
        bool asks = reader is not null && !isTooLate;
        partitions[partition].Take(batch, row, expected, asks ? reader : null);
        foreach (var feature in stateless)
        {
            expected[feature.Index] = StatelessOracle.Compute(feature, batch, row) is { } value ? Expectation.Of(value) : Expectation.Unknown;
        }

        foreach (var feature in Features)
        {
            if (feature.Entity is not null && cutOffFromMs[partition] is { } begin && !IsWhole(feature, timeMs, begin))
            {
                expected[feature.Index] = Expectation.Unknown;
            }
        }
    }

    /// <summary>Passes an event of a partition that came before: it counts in no feature.</summary>
    public void Pass(int partition, long timeMs) => partitions[partition].Pass(timeMs);

    /// <summary>Computes what waits, when every partition has been read to its end.</summary>
    /// <param name="tell">Receives each value.</param>
    public void ReadShared(Action<OracleRow, OracleFeature, Expectation> tell)
    {
        Array.ForEach(partitions, partition => partition.End());
        long? begin = cutOffFromMs.Max();
        foreach (var entity in shared)
        {
            entity.Read((row, feature, value) => tell(row, feature, begin is { } from && !IsWhole(feature, row.TimeMs, from) ? Expectation.Unknown : value));
        }
    }

    private static bool IsWhole(OracleFeature feature, long timeMs, long beginMs) => feature.KnownFromMs is { } reach && timeMs - reach >= beginMs;
}
