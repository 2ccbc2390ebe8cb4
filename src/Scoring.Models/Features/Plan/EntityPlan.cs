using Scoring.Models.Definitions.Predicates;

namespace Scoring.Models.Features.Plan;

/// <summary>A window over an entity's ring, with the accumulators that move along with it.</summary>
/// <param name="LengthMs">Length, ms.</param>
/// <param name="DelayMs">Shift into the past, ms.</param>
/// <param name="CursorWord">Word with its two cursors: oldest event inside (low half), first event behind it (high half).</param>
/// <param name="Accumulators">What is added up over it.</param>
internal sealed record WindowPlan(long LengthMs, long DelayMs, int CursorWord, AccumulatorPlan[] Accumulators);

/// <summary>Running count, sum and sum of squares of one field over one window.</summary>
/// <param name="Word">Where they stand: count; with a value then sum, squares (low, high), and in panes smallest and largest.</param>
/// <param name="Value">Index into the entity's values, or -1 to count events.</param>
/// <param name="Filter">Bits that an event's flags must have.</param>
/// <param name="Squares">Whether squares are needed.</param>
internal sealed record AccumulatorPlan(int Word, int Value, long Filter, bool Squares);

/// <summary>A window over panes of a thirty-second of its length.</summary>
/// <param name="PaneMs">Length of a pane, ms.</param>
/// <param name="DelayMs">Shift into the past, ms.</param>
/// <param name="PaneCount">Panes kept: 32 and what the delay needs.</param>
/// <param name="Word">Word of the first pane.</param>
/// <param name="PaneWords">Words of a pane: its number, then the accumulators.</param>
/// <param name="Accumulators">What is added up in a pane; <see cref="AccumulatorPlan.Word"/> counts from the pane's first word.</param>
internal sealed record PaneWindowPlan(long PaneMs, long DelayMs, int PaneCount, int Word, int PaneWords, AccumulatorPlan[] Accumulators);

/// <summary>A window over the settled panes of a shared entity.</summary>
/// <param name="LengthMs">Length, ms.</param>
/// <param name="DelayMs">Shift into the past, ms.</param>
internal sealed record SharedWindowPlan(long LengthMs, long DelayMs);

/// <summary>A filter of an entity's features: the predicate decides once, when an event comes, whether the event carries the bit.</summary>
/// <param name="Predicate">The <c>where</c> of the feature.</param>
/// <param name="Bit">Its bit in an event's flags.</param>
/// <param name="NeedsStatistics">Whether it looks at the median, mean or count of the window's earlier events.</param>
/// <param name="Value">Index of the value those are taken of; -1 leaves median and mean missing.</param>
/// <param name="LengthMs">Their window, ms.</param>
/// <param name="DelayMs">Its shift, ms.</param>
internal sealed record FilterPlan(Predicate Predicate, long Bit, bool NeedsStatistics, int Value, long LengthMs, long DelayMs);

/// <summary>One entity: its key, the layout of its record, and its features.</summary>
/// <remarks>
/// Payload of a local entity's record, in words of 8 bytes: the header (<see cref="LastTime"/> ...), cursors and accumulators of
/// the ring windows, pane windows, then the ring of <see cref="EventsMax"/> events of <see cref="EventWords"/> words.
/// Payload of a shared entity's record, one per (key, pane): dirty flag, then the counters.
/// </remarks>
internal sealed class EntityPlan
{
    /// <summary>Header word: time of the key's latest event.</summary>
    public const int LastTime = 0;

    /// <summary>Header word: offset of the last input record that changed this one.</summary>
    public const int AppliedOffset = 1;

    /// <summary>Header word: time of the key's earliest event.</summary>
    public const int FirstSeen = 2;

    /// <summary>Header word: sequence numbers of the oldest event kept (low half) and of the next one (high half).</summary>
    public const int Ring = 3;

    /// <summary>Header word: known frauds in the ring (low half), first event not yet looked at by the hazard (high half).</summary>
    public const int Labels = 4;

    /// <summary>Words of the header.</summary>
    public const int HeaderWords = 5;

    /// <summary>Flag of an event: a label says fraud.</summary>
    public const long FraudFlag = 1L << 62;

    /// <summary>Filters that fit an event's flags.</summary>
    public const int FiltersMax = 32;

    public required string Name { get; init; }

    public required int Ordinal { get; init; }

    /// <summary>Text columns that make the key.</summary>
    public required int[] KeyColumns { get; init; }

    public required int KeysMax { get; init; }

    public required int KeyBytesMax { get; init; }

    /// <summary>Events of the ring, a power of two; 0 when nothing needs it.</summary>
    public required int EventsMax { get; init; }

    /// <summary>Whether several partitions see it.</summary>
    public bool IsShared => PaneMs > 0;

    /// <summary>Length of a shared pane, ms; 0 for a local entity.</summary>
    public required long PaneMs { get; init; }

    /// <summary>How long before the event a shared pane must have closed, ms.</summary>
    public required long SettleMs { get; init; }

    /// <summary>Longest reach into the past of any feature, ms; <see cref="long.MaxValue"/> when one looks at all that is kept.</summary>
    public required long RetentionMs { get; init; }

    public required FieldSource[] Values { get; init; }

    public required FieldSource[] Identities { get; init; }

    public required FilterPlan[] Filters { get; init; }

    public required WindowPlan[] Windows { get; init; }

    public required PaneWindowPlan[] PaneWindows { get; init; }

    /// <summary>Whether events carry their labels.</summary>
    public required bool HasLabels { get; init; }

    /// <summary>Whether the lengths of runs of frauds are learnt.</summary>
    public required bool HasHazard { get; init; }

    /// <summary>Delay after which a label counts, ms.</summary>
    public required long LabelDelayMs { get; init; }

    /// <summary>Index in <see cref="Values"/> of latitude (micro-degrees), longitude follows; -1 when not needed.</summary>
    public required int Location { get; init; }

    /// <summary>Words of one event: time, then flags, transaction hash and label time where needed, values, identities.</summary>
    public required int EventWords { get; init; }

    /// <summary>Word of the event's flags, or -1.</summary>
    public required int FlagsWord { get; init; }

    /// <summary>Word of the hash of the event's transaction identifier; the time from which its label counts follows. -1 without labels.</summary>
    public required int LabelWord { get; init; }

    /// <summary>Word of the first value.</summary>
    public required int ValuesWord { get; init; }

    /// <summary>Word of the first identity.</summary>
    public required int IdentitiesWord { get; init; }

    /// <summary>Word of the ring.</summary>
    public required int RingWord { get; init; }

    /// <summary>Words of the payload.</summary>
    public required int PayloadWords { get; init; }

    public required SharedPlan? Shared { get; init; }

    /// <summary>The entity's features.</summary>
    public required FeatureOp[] Ops { get; init; }
}

/// <summary>Counters that a shared entity keeps per pane, and the windows read from them.</summary>
/// <param name="Counters">What is added up over events; <see cref="AccumulatorPlan.Word"/> counts from the first event counter.</param>
/// <param name="EventWords">Words of the event counters.</param>
/// <param name="LabelFilters">One counter of known frauds per filter, behind the event counters.</param>
/// <param name="Windows">Windows of the entity's features.</param>
/// <param name="LabelDelayMs">Delay after which a label counts, ms.</param>
/// <param name="Shape">Hash of all this: contributions of another shape are not added up.</param>
internal sealed record SharedPlan(AccumulatorPlan[] Counters, int EventWords, long[] LabelFilters, SharedWindowPlan[] Windows, long LabelDelayMs, uint Shape)
{
    /// <summary>Words of a contribution.</summary>
    public int Words => EventWords + LabelFilters.Length;
}
