using System.Buffers.Binary;
using System.Text;
using Confluent.Kafka;
using Scoring.Worker.Verification.Oracle;

namespace Scoring.Worker.Verification;

/// <summary>Holds the contributions of each partition to shared entities, as they stand on their topic, against the events it was given.</summary>
/// <remarks>
/// A contribution counts the events of one (partition, entity, key, pane); the last of a key holds. One of a pane that the partition's
/// published watermark has passed must count all of them, one of an open pane no more than there are. Sums beside the count are not looked at:
/// features show them.
/// </remarks>
internal sealed class ContributionCheck
{
    // key    version (1) kind (1: 0 watermark, 1 pane) source (4); of a pane also: entity (2) shape (4) start, ms (8), all big endian; then the entity's key
    // value  watermark, ms (8); or counters (8 each), events first, little endian
    private const byte Watermark = 0;
    private const byte Pane = 1;
    private const int SourceAt = 2;
    private const int EntityAt = 6;
    private const int ShapeAt = 8;
    private const int StartAt = 12;
    private const int PrefixBytes = 6;
    private const int PaneKeyBytes = 20;

    private readonly Dictionary<(int Entity, string Key), Dictionary<(int Source, long PaneMs), (uint Shape, long Events)>> told = [];
    private readonly Dictionary<int, uint> shapes = [];
    private readonly Dictionary<int, long> watermarks = [];

    /// <summary>Contributions that stand on the topic.</summary>
    public long Compared { get; private set; }

    /// <summary>Takes a record of the aggregates topic.</summary>
    public void Take(ConsumeResult<byte[], byte[]> record)
    {
        byte[] key = record.Message.Key ?? [];
        byte[]? value = record.Message.Value;
        if (key.Length < PrefixBytes)
        {
            return;
        }

        int source = BinaryPrimitives.ReadInt32BigEndian(key.AsSpan(SourceAt));
        if (key[1] == Watermark && value is { Length: sizeof(long) })
        {
            watermarks[source] = BinaryPrimitives.ReadInt64LittleEndian(value);
        }
        else if (key[1] == Pane && key.Length >= PaneKeyBytes)
        {
            int entity = BinaryPrimitives.ReadUInt16BigEndian(key.AsSpan(EntityAt));
            long paneMs = BinaryPrimitives.ReadInt64BigEndian(key.AsSpan(StartAt));
            string entityKey = Encoding.UTF8.GetString(key.AsSpan(PaneKeyBytes));
            if (!told.TryGetValue((entity, entityKey), out var panes))
            {
                panes = [];
                told.Add((entity, entityKey), panes);
            }

            if (value is not { Length: >= sizeof(long) })
            {
                panes.Remove((source, paneMs)); // Expired.
                return;
            }

            uint shape = BinaryPrimitives.ReadUInt32BigEndian(key.AsSpan(ShapeAt));
            shapes[entity] = shape; // The newest is that of the definition that runs.
            panes[(source, paneMs)] = (shape, BinaryPrimitives.ReadInt64LittleEndian(value));
        }
    }

    /// <summary>Compares.</summary>
    /// <param name="entity">Place of the entity among those that have features, by name.</param>
    /// <param name="name">Its name.</param>
    /// <param name="oracle">What was given to it.</param>
    /// <param name="isWhole">By partition: whether its input is retained from its beginning.</param>
    /// <param name="findings">Receives what is torn.</param>
    public void Compare(int entity, string name, SharedEntityOracle oracle, Func<int, bool> isWhole, Findings findings)
    {
        foreach (var ((_, key), panes) in told.Where(one => one.Key.Entity == entity))
        {
            var given = oracle.Keys.GetValueOrDefault(key)?.Events.CountBy(one => (one.Partition, one.PaneMs)).ToDictionary() ?? [];
            foreach (var ((source, paneMs), (shape, events)) in panes.Where(one => isWhole(one.Key.Source) && one.Value.Shape == shapes[entity]))
            {
                int due = given.GetValueOrDefault((source, paneMs));
                bool isClosed = paneMs + oracle.PaneMs <= watermarks.GetValueOrDefault(source, long.MinValue);
                Compared++;
                if (events > due || (isClosed && events < due))
                {
                    findings.Add(Invariant.Torn, new Finding(source, -1, null, FormattableString.Invariant($"{due} events of {name} {key} in the pane of {DateTimeOffset.FromUnixTimeMilliseconds(paneMs):O}"), FormattableString.Invariant($"a contribution of {events}")));
                }
            }
        }
    }
}
