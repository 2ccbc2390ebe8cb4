using Scoring.Models.Definitions;
using Scoring.Models.Definitions.Predicates;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;

namespace Scoring.Worker.Verification;

/// <summary>What the rules and the thresholds on a score ask for, as docs/rules.md says it.</summary>
internal sealed class DecisionOracle
{
    private static readonly string[] Strictness = ["approve", "review", "decline"];

    private readonly (RuleDefinition Rule, Predicate When)[] rules;
    private readonly PolicyDefinition policy;
    private readonly FeatureBlock block;

    /// <summary>Reads the rules of a checked definition.</summary>
    public DecisionOracle(ServiceDefinition definition, EventSchema schema)
    {
        var scope = PredicateScope.ForRules(schema, [.. definition.Features.Select(feature => feature.Name)]);
        rules = [.. definition.Rules.Select(rule => (rule, Predicate.Parse(rule.When, scope).Predicate!))];
        policy = definition.Policy;
        block = new FeatureBlock(definition.Features.Count, 1);
    }

    /// <summary>What a score that carries its features must say.</summary>
    /// <param name="batch">The transaction's batch.</param>
    /// <param name="row">Its row.</param>
    /// <param name="score">The score.</param>
    /// <returns>Decision, rules and shadow rules that hit.</returns>
    public (string Decision, string Rules, string ShadowRules) Decide(TransactionBatch batch, int row, ScoreReading score)
    {
        for (int feature = 0; feature < score.Features!.Length; feature++)
        {
            block.Set(row, feature, score.Features[feature]);
        }

        var hits = new List<RuleDefinition>();
        var shadowHits = new List<string>();
        foreach (var (rule, when) in rules)
        {
            if (when.Evaluate(new PredicateInput(batch, row, block, score.Probability, [])))
            {
                if (rule.Shadow)
                {
                    shadowHits.Add(rule.Name);
                }
                else
                {
                    hits.Add(rule);
                }
            }
        }

        var asked = hits.ConvertAll(rule => rule.Then);
        if (!asked.Contains("approve", StringComparer.Ordinal))
        {
            asked.Add(ByScore(score) ?? (hits.Count == 0 ? policy.WithoutModel : "approve"));
        }

        return (Strictness[asked.Max(decision => Array.IndexOf(Strictness, decision))], string.Join(',', hits.Select(rule => rule.Name)), string.Join(',', shadowHits));
    }

    /// <summary>Thresholds that a score must have been held against; null where neither the definition nor the package says.</summary>
    /// <param name="package">The package that scored; null when it is not known.</param>
    public (double Review, double Decline)? Thresholds(PackageManifest? package) =>
        (policy.Review ?? package?.Thresholds.Review) is { } review && (policy.Decline ?? package?.Thresholds.Decline) is { } decline ? (review, decline) : null;

    private static string? ByScore(ScoreReading score) =>
        double.IsNaN(score.Probability) || score.Review is not { } review || score.Decline is not { } decline ? null
        : score.Probability >= decline ? "decline"
        : score.Probability >= review ? "review"
        : "approve";
}
