using System.Text.Json;
using System.Text.Json.Serialization;

namespace Scoring.Worker.Verification;

/// <summary>What a verification found.</summary>
internal sealed record VerificationReport
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Input records below the offset that was committed before the outputs were read.</summary>
    public required long In { get; init; }

    /// <summary>Of these, answered by a score.</summary>
    public required long Scored { get; init; }

    /// <summary>Of these, answered by a dead letter.</summary>
    public required long Refused { get; init; }

    /// <summary>Labels below the offset that was committed of theirs, answered by a dead letter.</summary>
    public required long RefusedLabels { get; init; }

    /// <summary>Input records at or behind that offset: not done then.</summary>
    public required long Lag { get; init; }

    /// <summary>Repeated answers that are allowed here.</summary>
    public required long Repeated { get; init; }

    /// <summary>Answers ahead of the commit that are allowed here.</summary>
    public required long Ahead { get; init; }

    /// <summary>The violations.</summary>
    public required Findings Findings { get; init; }

    /// <summary>How much was compared.</summary>
    public required CheckFigures Figures { get; init; }

    /// <summary>Scores computed again from the package.</summary>
    public required long ScoresComputed { get; init; }

    /// <summary>Contributions to shared entities compared.</summary>
    public required long ContributionsCompared { get; init; }

    /// <summary>What was not checked, and why; a line each.</summary>
    public required IReadOnlyList<string> NotChecked { get; init; }

    /// <summary>Writes it for people.</summary>
    public void Write(TextWriter output)
    {
        foreach (var invariant in Enum.GetValues<Invariant>())
        {
            output.WriteLine(FormattableString.Invariant($"{NameOf(invariant),-17} {Findings.Count(invariant)}"));
            foreach (var one in Findings.Examples(invariant))
            {
                output.WriteLine($"  {one}");
            }
        }

        output.WriteLine(FormattableString.Invariant($"{"lag",-17} {Lag}"));
        if (Repeated + Ahead > 0)
        {
            output.WriteLine(FormattableString.Invariant($"{"allowed",-17} {Repeated} repeated answers, {Ahead} ahead of the commit"));
        }

        output.WriteLine(FormattableString.Invariant($"compared          {Figures.Values} feature values of {Figures.RowsWithFeatures} scores, {ScoresComputed} scores computed again, {ContributionsCompared} contributions to shared entities, {Figures.Duplicates} transactions that came before, dead letters of {RefusedLabels} labels"));
        foreach (string line in NotChecked)
        {
            output.WriteLine($"not checked: {line}");
        }

        output.WriteLine(FormattableString.Invariant($"verify: {In} in, {Scored} scored, {Refused} refused, {Findings.Count(Invariant.Lost)} lost, {Findings.Count(Invariant.Duplicated)} duplicated, {Findings.Count(Invariant.Different)} different, {Findings.Count(Invariant.OutOfOrder)} out of order, {Findings.Count(Invariant.Torn)} torn"));
    }

    /// <summary>Writes it for programs.</summary>
    public void WriteJson(TextWriter output) => output.WriteLine(JsonSerializer.Serialize(
        new
        {
            In,
            Scored,
            Refused,
            RefusedLabels,
            Lag,
            Repeated,
            Ahead,
            FeatureValuesCompared = Figures.Values,
            ScoresWithFeatures = Figures.RowsWithFeatures,
            ScoresComputed,
            TransactionsThatCameBefore = Figures.Duplicates,
            ContributionsCompared,
            Violations = Enum.GetValues<Invariant>().ToDictionary(
                invariant => JsonNamingPolicy.SnakeCaseLower.ConvertName(invariant.ToString()),
                invariant => new { Count = Findings.Count(invariant), Examples = Findings.Examples(invariant) },
                StringComparer.Ordinal),
            NotChecked,
        },
        Json));

    private static string NameOf(Invariant invariant) => JsonNamingPolicy.SnakeCaseLower.ConvertName(invariant.ToString()).Replace('_', ' ');
}
