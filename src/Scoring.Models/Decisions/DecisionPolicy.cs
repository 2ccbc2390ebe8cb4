using Scoring.Models.Definitions;
using Scoring.Models.Definitions.Predicates;
using Scoring.Models.Events;
using Scoring.Models.Features;

namespace Scoring.Models.Decisions;

/// <summary>Rules and thresholds of a definition, compiled: scores and rows in, decisions out. Immutable; safe from several threads.</summary>
/// <remarks>
/// The strictest of what the thresholds and the rules that hit ask for is taken. A rule that asks for <c>approve</c> sets the
/// thresholds aside, not the other rules. Without a score (NaN) the rules decide alone; where none hits, <c>policy.without_model</c> does.
/// </remarks>
public sealed class DecisionPolicy
{
    /// <summary>Most rules of a definition, shadow rules included: their hits are the bits of one word.</summary>
    public const int RulesMax = 64;

    private readonly ulong[] rulesByDecision = new ulong[3];

    private DecisionPolicy(CompiledRule[] rules, Thresholds? thresholds, Decision withoutModel)
    {
        Rules = rules;
        Thresholds = thresholds;
        WithoutModel = withoutModel;
        for (int i = 0; i < rules.Length; i++)
        {
            if (!rules[i].Shadow)
            {
                rulesByDecision[(int)rules[i].Then] |= 1UL << i;
            }
        }
    }

    /// <summary>The rules in the order of the definition; a rule's place is its bit in <see cref="DecisionBatch"/>.</summary>
    public IReadOnlyList<CompiledRule> Rules { get; }

    /// <summary>The thresholds that are applied; null when neither the definition nor a model gives both.</summary>
    public Thresholds? Thresholds { get; }

    /// <summary>What is decided when no model can score and no rule hits.</summary>
    public Decision WithoutModel { get; }

    /// <summary>Compiles the rules and the policy of a checked definition.</summary>
    /// <param name="definition">A definition without faults.</param>
    /// <param name="schema">Its event schema.</param>
    /// <param name="featureNames">Names by feature index.</param>
    /// <param name="modelThresholds">The model package's own, taken where the policy states none; null without a model.</param>
    /// <exception cref="ArgumentException">The definition has a fault that its check should have told.</exception>
    public static DecisionPolicy Compile(
        ServiceDefinition definition, EventSchema schema, IReadOnlyList<string> featureNames, Thresholds? modelThresholds)
    {
        if (definition.Rules.Count > RulesMax)
        {
            throw new ArgumentException($"{definition.Rules.Count} rules, at most {RulesMax} can be kept", nameof(definition));
        }

        var scope = PredicateScope.ForRules(schema, featureNames);
        var policy = definition.Policy;
        double? review = policy.Review ?? modelThresholds?.Review;
        double? decline = policy.Decline ?? modelThresholds?.Decline;
        return new(
            [.. definition.Rules.Select(rule => CompileRule(rule, scope))],
            review is { } from && decline is { } strict ? new Thresholds(from, strict) : null,
            Read(policy.WithoutModel));
    }

    /// <summary>Decides every row of a batch. Allocates nothing.</summary>
    /// <param name="batch">The transactions.</param>
    /// <param name="features">Their features.</param>
    /// <param name="scores">Probability of fraud per row, 0 to 1; NaN where no model scored.</param>
    /// <param name="output">Receives the decisions; room for at least the rows of <paramref name="batch"/>.</param>
    public void Decide(TransactionBatch batch, FeatureBlock features, ReadOnlySpan<double> scores, DecisionBatch output)
    {
        int rowCount = batch.RowCount;
        var hits = output.RuleHits.AsSpan(0, rowCount);
        var shadowHits = output.ShadowHits.AsSpan(0, rowCount);
        hits.Clear();
        shadowHits.Clear();
        for (int i = 0; i < Rules.Count; i++)
        {
            var rule = Rules[i];
            var marks = rule.Shadow ? shadowHits : hits;
            for (int row = 0; row < rowCount; row++)
            {
                marks[row] |= rule.When.Evaluate(new PredicateInput(batch, row, features, scores[row], [])) ? 1UL << i : 0;
            }
        }

        for (int row = 0; row < rowCount; row++)
        {
            output.Decisions[row] = Decide(scores[row], hits[row]);
        }
    }

    /// <summary>The rules among <paramref name="hits"/> that ask for the decision that was taken.</summary>
    public ulong Deciding(Decision decision, ulong hits) => hits & rulesByDecision[(int)decision];

    private Decision Decide(double score, ulong hits)
    {
        var byRules = (hits & rulesByDecision[(int)Decision.Decline]) != 0 ? Decision.Decline
            : (hits & rulesByDecision[(int)Decision.Review]) != 0 ? Decision.Review
            : Decision.Approve;
        bool overruled = (hits & rulesByDecision[(int)Decision.Approve]) != 0;
        if (overruled)
        {
            return byRules;
        }

        var byScore = ByScore(score) ?? (hits == 0 ? WithoutModel : Decision.Approve);
        return byRules > byScore ? byRules : byScore;
    }

    private Decision? ByScore(double score)
    {
        if (double.IsNaN(score) || Thresholds is not { } thresholds)
        {
            return null;
        }

        return score >= thresholds.Decline ? Decision.Decline : score >= thresholds.Review ? Decision.Review : Decision.Approve;
    }

    private static CompiledRule CompileRule(RuleDefinition rule, PredicateScope scope)
    {
        var reading = Predicate.Parse(rule.When, scope);
        return reading.Predicate is { } when
            ? new(rule.Name, when, Read(rule.Then), rule.Reason ?? rule.Name.ToUpperInvariant(), rule.Shadow)
            : throw new ArgumentException($"rule {rule.Name}: {string.Join("; ", reading.Faults)}", nameof(rule));
    }

    private static Decision Read(string name) => name switch
    {
        "approve" => Decision.Approve,
        "review" => Decision.Review,
        "decline" => Decision.Decline,
        _ => throw new ArgumentException($"{name} is no decision; write approve, review or decline", nameof(name)),
    };
}
