namespace Scoring.Worker.Verification;

/// <summary>How much was compared, and what could not be.</summary>
internal sealed class CheckFigures
{
    /// <summary>Scores that carried their features.</summary>
    public long RowsWithFeatures { get; set; }

    /// <summary>Feature values compared with the oracle's.</summary>
    public long Values { get; set; }

    /// <summary>Scores marked <c>stale_aggregates</c>: their shared features are not compared.</summary>
    public long Stale { get; set; }

    /// <summary>Transactions that came before, whose answers were held against the first ones'.</summary>
    public long Duplicates { get; set; }

    /// <summary>Good events refused because they had ended the process each time: believed.</summary>
    public long CrashSuspects { get; set; }

    /// <summary>Events refused because they were in the future, as the worker's clock said: believed.</summary>
    public long Future { get; set; }

    /// <summary>Events whose answers were too large, by their dead letters: believed.</summary>
    public long AnswersTooLarge { get; set; }

    /// <summary>Scores made under another definition: only counted.</summary>
    public long OtherDefinition { get; set; }

    /// <summary>Scores of another package than the one given: not computed again.</summary>
    public long OtherPackage { get; set; }
}
