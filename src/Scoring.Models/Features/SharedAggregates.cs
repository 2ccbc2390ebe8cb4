using System.Buffers.Binary;
using Scoring.Models.Features.Plan;
using Scoring.Models.Features.Sharing;
using Scoring.Models.Features.State;

namespace Scoring.Models.Features;

/// <summary>What all partitions together have seen of the shared entities: the sum of their contributions, and how far each has come.</summary>
/// <remarks>
/// One writer (the reader of the aggregates topic, or the engine itself where there is but one partition), any number of reading
/// lanes without locks: keys are spread over stripes, a stripe's version is odd while it is written, a reader that met
/// the writer reads again. The last counters of a (pane, source) replace the earlier ones, so that contributions may come twice.
/// </remarks>
public sealed class SharedAggregates
{
    /// <summary>Panes are kept this much longer than any window reaches, for events that are late by as much.</summary>
    internal const long SlackMs = 3_600_000;

    private readonly FeaturePlan plan;
    private readonly SharedEntity?[] entities;
    private readonly long[] watermarks;
    private readonly bool[] idle;
    private readonly long[] readings;

    /// <summary>Nothing contributed yet.</summary>
    /// <param name="plan">Whose shared entities.</param>
    /// <param name="sourceCount">Partitions of the input.</param>
    public SharedAggregates(FeaturePlan plan, int sourceCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sourceCount);
        this.plan = plan;
        SourceCount = sourceCount;
        watermarks = new long[sourceCount];
        idle = new bool[sourceCount];
        watermarks.AsSpan().Fill(long.MinValue);
        readings = new long[sourceCount];
        readings.AsSpan().Fill(long.MaxValue);
        entities = Array.ConvertAll(plan.Entities, entity => entity.IsShared ? new SharedEntity(entity, (long)entity.KeysMax * sourceCount) : null);
    }

    /// <summary>Partitions of the input.</summary>
    public int SourceCount { get; }

    /// <summary>How far the slowest source that is not idle has come, ms since 1970 UTC; <see cref="long.MinValue"/> while one has said nothing, <see cref="long.MaxValue"/> when all are idle.</summary>
    public long MinWatermarkMs
    {
        get
        {
            long least = long.MaxValue;
            for (int source = 0; source < watermarks.Length; source++)
            {
                if (!Volatile.Read(ref idle[source]))
                {
                    least = Math.Min(least, Volatile.Read(ref watermarks[source]));
                }
            }

            return least;
        }
    }

    /// <summary>Keys held, over all shared entities.</summary>
    public long KeyCount => entities.Sum(entity => entity?.KeyCount ?? 0);

    /// <summary>Keys given up because there were too many.</summary>
    public long KeysEvicted => entities.Sum(entity => entity?.KeysEvicted ?? 0);

    /// <summary>Contributions that were ignored: of another version or definition, or not whole.</summary>
    public long Ignored { get; private set; }

    /// <summary>Takes one record of <see cref="PartitionState.DrainContributions"/>. Never throws on input.</summary>
    /// <param name="source">The partition it comes from.</param>
    /// <param name="key">Its key.</param>
    /// <param name="value">Its value; empty removes the pane.</param>
    public void Apply(int source, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if ((uint)source >= (uint)SourceCount || key.Length < ContributionCodec.PrefixBytes || key[0] != ContributionCodec.Version)
        {
            Ignored++;
        }
        else if (key[1] == ContributionCodec.Watermark && value.Length == sizeof(long))
        {
            SetWatermark(source, BinaryPrimitives.ReadInt64LittleEndian(value));
        }
        else if (key[1] != ContributionCodec.Pane || key.Length < ContributionCodec.PaneKeyBytes || !ApplyPane(source, key, value))
        {
            Ignored++;
        }
    }

    /// <summary>Says how far a source has come: its later contributions go to panes that end after this. Never goes back.</summary>
    public void SetWatermark(int source, long watermarkMs)
    {
        if (watermarkMs > watermarks[source])
        {
            Volatile.Write(ref watermarks[source], watermarkMs);
        }
    }

    /// <summary>Says whether a source has nothing to say for now: nobody waits for it.</summary>
    public void SetIdle(int source, bool isIdle) => Volatile.Write(ref idle[source], isIdle);

    /// <summary>Says from which event time on a partition will still read: panes that its windows reach are kept, however far the sources are.</summary>
    /// <param name="source">The partition.</param>
    /// <param name="timeMs">Event time, ms since 1970 UTC; <see cref="long.MinValue"/> keeps everything, <see cref="long.MaxValue"/> (at first) asks for nothing.</param>
    /// <remarks>After a restart the sources' last words lie ahead of the rows that are answered again, by as much as was not committed.</remarks>
    public void SetReading(int source, long timeMs) => Volatile.Write(ref readings[source], timeMs);

    internal void Set(EntityPlan entity, int source, ReadOnlySpan<byte> key, long paneStartMs, ReadOnlySpan<long> counters)
    {
        long watermark = Math.Min(MinWatermarkMs, LeastReading());
        bool bounded = watermark is not (long.MinValue or long.MaxValue) && entity.RetentionMs < watermark - SlackMs;
        entities[entity.Ordinal]!.Set(key, RecordTable.Tag(key), source, paneStartMs, counters, bounded ? watermark - SlackMs - entity.RetentionMs : long.MinValue);
    }

    /// <summary>Reads every window of a key: per window the event counters, then the known frauds.</summary>
    internal void Read(EntityPlan entity, ReadOnlySpan<byte> key, long nowMs, Span<long> sums) =>
        entities[entity.Ordinal]!.Read(key, RecordTable.Tag(key), nowMs, sums);

    private long LeastReading()
    {
        long least = long.MaxValue;
        for (int source = 0; source < readings.Length; source++)
        {
            least = Math.Min(least, Volatile.Read(ref readings[source]));
        }

        return least;
    }

    private bool ApplyPane(int source, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int ordinal = BinaryPrimitives.ReadUInt16BigEndian(key[6..]);
        if (ordinal >= entities.Length || entities[ordinal] is null)
        {
            return false;
        }

        var entity = plan.Entities[ordinal];
        var shared = entity.Shared!;
        if (BinaryPrimitives.ReadUInt32BigEndian(key[8..]) != shared.Shape || (value.Length != 0 && value.Length != shared.Words * sizeof(long)))
        {
            return false;
        }

        if (value.IsEmpty)
        {
            return true;   // an expired pane: it goes by itself when every source has passed it
        }

        Span<long> counters = stackalloc long[shared.Words];
        ContributionCodec.ReadWords(value, counters);
        Set(entity, source, key[ContributionCodec.PaneKeyBytes..], BinaryPrimitives.ReadInt64BigEndian(key[12..]), counters);
        return true;
    }
}
