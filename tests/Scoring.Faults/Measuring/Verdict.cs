using System.Text.Json.Nodes;

namespace Scoring.Faults.Measuring;

/// <summary>The report of the worker's <c>verify</c>.</summary>
/// <param name="ExitCode">0 or 65.</param>
/// <param name="Report">As printed.</param>
internal sealed record Verdict(int ExitCode, JsonNode Report)
{
    /// <summary>Input records that had to be answered.</summary>
    public long In => (long)Report["in"]!;

    /// <summary>Of these, answered by a score.</summary>
    public long Scored => (long)Report["scored"]!;

    /// <summary>Scores computed again from the package that was given.</summary>
    public long ScoresComputed => (long)Report["scores_computed"]!;

    /// <summary>Of the input, answered by a dead letter.</summary>
    public long Refused => (long)Report["refused"]!;

    /// <summary>What was not checked, and why; a line each.</summary>
    public IEnumerable<string> NotChecked => Report["not_checked"]!.AsArray().Select(line => (string)line!);

    /// <summary>Input records behind the committed offsets.</summary>
    public long Lag => (long)Report["lag"]!;

    /// <summary>Feature values computed a second time and compared.</summary>
    public long ValuesCompared => (long)Report["feature_values_compared"]!;

    /// <summary>Whether nothing was found.</summary>
    public bool IsGood => ExitCode == 0;

    /// <summary>Violations of a kind, by its name in the report, e.g. <c>out_of_order</c>.</summary>
    public long Count(string invariant) => (long)Report["violations"]![invariant]!["count"]!;

    /// <summary>The first of each kind, for people.</summary>
    public IEnumerable<string> Examples() =>
        from violation in Report["violations"]!.AsObject()
        from example in violation.Value!["examples"]!.AsArray().Take(2)
        select $"{violation.Key}: {example}";
}
