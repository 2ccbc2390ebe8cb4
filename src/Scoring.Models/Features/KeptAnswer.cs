using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Scoring.Models.Decisions;
using Scoring.Models.Events.Scores;

namespace Scoring.Models.Features;

/// <summary>What is remembered of an answer, to give it once more: numbers only, since the fields of the transaction come again with its repeat.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct KeptAnswer
{
    /// <summary>An answer with these reasons.</summary>
    /// <param name="reasons">The most important first; at most <see cref="ReasonCodes.Most"/>.</param>
    public KeptAnswer(ReadOnlySpan<KeptReason> reasons)
    {
        var kept = default(KeptReasons);
        reasons.CopyTo(kept);
        (this.reasons, reasonCount) = (kept, (short)reasons.Length);
    }

    /// <summary>Calibrated probability of fraud; NaN when no model scored.</summary>
    public double Score { get; init; }

    /// <summary>The trees' part; NaN when there was none.</summary>
    public double TreesScore { get; init; }

    /// <summary>The network's part; NaN when there was none.</summary>
    public double NetworkScore { get; init; }

    /// <summary>The rules that hit, by their number in the definition that answered.</summary>
    public ulong RuleHits { get; init; }

    /// <summary>The shadow rules that hit.</summary>
    public ulong ShadowHits { get; init; }

    /// <summary>With <see cref="Degradation.StaleAggregates"/>: by how much event time the slowest partition was behind, ms; <see cref="long.MaxValue"/> for one that had never spoken.</summary>
    public long AggregatesBehindMs { get; init; }

    /// <summary>When the score was made, ms since 1970 UTC.</summary>
    public long ScoredAtMs { get; init; }

    /// <summary>Who answered: see <see cref="Answerer.Number"/>.</summary>
    public long AnswererNumber { get; init; }

    private readonly int decision;
    private readonly short degradation;
    private readonly short reasonCount;
    private readonly KeptReasons reasons;

    /// <summary>What was decided.</summary>
    public Decision Decision
    {
        get => (Decision)decision;
        init => decision = (int)value;
    }

    /// <summary>What was missing.</summary>
    public Degradation Degradation
    {
        get => (Degradation)degradation;
        init => degradation = (short)value;
    }

    /// <summary>The reasons, the most important first.</summary>
    [UnscopedRef]
    public ReadOnlySpan<KeptReason> Reasons => ((ReadOnlySpan<KeptReason>)reasons)[..Math.Clamp((int)reasonCount, 0, ReasonCodes.Most)];

    [InlineArray(ReasonCodes.Most)]
    private struct KeptReasons
    {
        private KeptReason first;
    }
}

/// <summary>A reason of a remembered answer.</summary>
/// <param name="RuleIndex">The rule, or -1.</param>
/// <param name="FeatureIndex">The feature, or -1.</param>
/// <param name="Contribution">What the feature added to the log-odds of fraud; NaN for a rule.</param>
/// <param name="Value">The feature's value as the model saw it; NaN for a rule.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct KeptReason(short RuleIndex, short FeatureIndex, float Value, double Contribution);
