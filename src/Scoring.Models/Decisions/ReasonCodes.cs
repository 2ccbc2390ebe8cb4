using System.Numerics;
using Scoring.Models.Definitions;

namespace Scoring.Models.Decisions;

/// <summary>Picks the reasons of a row: the rules that decided, in the order of the definition, then the features that raised the score most.</summary>
/// <remarks>
/// One code is told once, by its strongest feature: features may share a code (<see cref="FeatureDefinition.Reason"/>).
/// Features that lowered the score, changed nothing, or whose contribution is no finite number are no reasons. Equal contributions keep the order of the features.
/// </remarks>
public sealed class ReasonCodes
{
    /// <summary>Most reasons of a row.</summary>
    public const int Most = 4;

    private readonly DecisionPolicy policy;
    private readonly int[] familyByFeature;
    private readonly int[] familyByRule;

    /// <summary>Numbers the codes of a definition.</summary>
    /// <param name="definition">Where features name their codes.</param>
    /// <param name="policy">Its compiled rules.</param>
    public ReasonCodes(ServiceDefinition definition, DecisionPolicy policy)
    {
        this.policy = policy;
        var families = new Dictionary<string, int>(StringComparer.Ordinal);
        familyByRule = [.. policy.Rules.Select(rule => FamilyOf(rule.Reason))];
        familyByFeature = [.. definition.Features.Select(feature => FamilyOf(CodeOf(feature)))];

        int FamilyOf(string code) => families.TryGetValue(code, out int family) ? family : families[code] = families.Count;
    }

    /// <summary>The code that a feature speaks for: what it declares, or its name in capitals.</summary>
    public static string CodeOf(FeatureDefinition feature) => feature.Reason ?? feature.Name.ToUpperInvariant();

    /// <summary>Picks the reasons of one row, the most important first. Allocates nothing.</summary>
    /// <param name="decision">What was decided.</param>
    /// <param name="ruleHits">The rules that hit, without shadow rules.</param>
    /// <param name="contributions">By feature, in log-odds of fraud; empty when there is no explanation.</param>
    /// <param name="reasons">Receives them; room for <see cref="Most"/>.</param>
    /// <returns>How many there are.</returns>
    public int Pick(Decision decision, ulong ruleHits, ReadOnlySpan<double> contributions, Span<Reason> reasons)
    {
        int count = 0;
        for (ulong deciding = policy.Deciding(decision, ruleHits); deciding != 0 && count < Most; deciding &= deciding - 1)
        {
            int rule = BitOperations.TrailingZeroCount(deciding);
            if (!Holds(reasons[..count], familyByRule[rule]))
            {
                reasons[count++] = new(rule, -1, double.NaN);
            }
        }

        while (count < Most && Strongest(contributions, reasons[..count]) is >= 0 and int feature)
        {
            reasons[count++] = new(-1, feature, contributions[feature]);
        }

        return count;
    }

    /// <summary>The feature with the greatest positive contribution whose code is not told yet, or -1.</summary>
    private int Strongest(ReadOnlySpan<double> contributions, ReadOnlySpan<Reason> told)
    {
        int strongest = -1;
        double most = 0;
        for (int feature = 0; feature < contributions.Length; feature++)
        {
            if (contributions[feature] > most && double.IsFinite(contributions[feature]) && !Holds(told, familyByFeature[feature]))
            {
                strongest = feature;
                most = contributions[feature];
            }
        }

        return strongest;
    }

    private bool Holds(ReadOnlySpan<Reason> told, int family)
    {
        foreach (var reason in told)
        {
            if ((reason.RuleIndex >= 0 ? familyByRule[reason.RuleIndex] : familyByFeature[reason.FeatureIndex]) == family)
            {
                return true;
            }
        }

        return false;
    }
}
