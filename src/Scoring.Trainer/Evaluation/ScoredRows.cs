namespace Scoring.Trainer.Evaluation;

/// <summary>What a model said about transactions whose truth is known, in event time order. Columns of one length.</summary>
internal sealed record ScoredRows
{
    /// <summary>Length of a day, ms.</summary>
    public const long DayMs = 86_400_000;

    /// <summary>Event times, ms since 1970 UTC, ascending.</summary>
    public required long[] TimesMs { get; init; }

    /// <summary>Account of each row as a small number.</summary>
    public required int[] Accounts { get; init; }

    /// <summary>Whether the row is a fraud.</summary>
    public required bool[] IsFraud { get; init; }

    /// <summary>Scores: the higher, the more suspicious. Never NaN.</summary>
    public required double[] Scores { get; init; }

    /// <summary>Number of rows.</summary>
    public int Count => TimesMs.Length;
}
