using System.Runtime.InteropServices;

namespace Scoring.Models.Features.Plan;

/// <summary>One feature, compiled: what to compute, from which place of the record, into which feature.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct FeatureOp
{
    /// <summary>What is computed.</summary>
    public required AggregateKind Kind { get; init; }

    /// <summary>Index of the feature.</summary>
    public required int Feature { get; init; }

    /// <summary>Value when there is nothing to aggregate.</summary>
    public required double Empty { get; init; }

    /// <summary>Index into the entity's ring windows, pane windows or shared windows; -1 for none.</summary>
    public int Window { get; init; } = -1;

    /// <summary>Index into the accumulators of the entity's ring, panes or shared counters; -1 for none.</summary>
    public int Accumulator { get; init; } = -1;

    /// <summary>Whether the window is one of panes.</summary>
    public bool InPanes { get; init; }

    /// <summary>Index into the entity's values; -1 for none.</summary>
    public int Value { get; init; } = -1;

    /// <summary>Index into the entity's identities; -1 for none.</summary>
    public int Identity { get; init; } = -1;

    /// <summary>Bits that an event's flags must have: the filter's bit, or 0.</summary>
    public long Filter { get; init; }

    /// <summary>Window of a scan, ms; <see cref="long.MaxValue"/> for all that is kept.</summary>
    public long LengthMs { get; init; } = long.MaxValue;

    /// <summary>How far the window is shifted into the past, ms.</summary>
    public long DelayMs { get; init; }

    /// <summary>How much of <see cref="DelayMs"/> is beyond the labels' own delay, ms.</summary>
    public long LabelDelayMs { get; init; }

    /// <summary>Field of a stateless feature, or of the current value of a ratio.</summary>
    public FieldSource Source { get; init; }

    /// <summary>Second field of a mismatch.</summary>
    public FieldSource With { get; init; }

    /// <summary>Bit per hour of the day for <c>night</c>.</summary>
    public int Hours { get; init; }

    /// <summary>Values of a membership, UTF-8.</summary>
    public byte[][] Members { get; init; } = [];

    public FeatureOp()
    {
    }
}
