using System.Text;
using CsCheck;
using Scoring.Models.Decisions;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;

namespace Scoring.Models.Tests.Decisions;

public sealed class DecisionPolicyTests
{
    private static readonly EventSchema Schema = new([.. TransactionFields.All, new EventField("items", FieldKind.Integer)]);

    private static readonly string[] Names = ["approve", "review", "decline"];

    [Theory]
    [InlineData(0.1, 0, "approve")]
    [InlineData(0.5, 0, "review")] // from the threshold on
    [InlineData(0.9, 0, "decline")]
    [InlineData(0.1, 1, "review")] // the rule is stricter than the score
    [InlineData(0.9, 1, "decline")] // the score is stricter than the rule
    [InlineData(0.9, 2, "approve")] // the rule that approves overrules the model
    [InlineData(0.9, 3, "review")] // but not another rule
    [InlineData(0.1, 4, "approve")] // a shadow rule decides nothing
    [InlineData(double.NaN, 0, "decline")] // policy.without_model
    [InlineData(double.NaN, 1, "review")] // rules decide alone
    [InlineData(double.NaN, 2, "approve")]
    [InlineData(double.NaN, 4, "decline")] // a shadow rule does not speak
    public void Takes_the_strictest(double score, long items, string expected)
    {
        var definition = Definition(
            [
                new RuleDefinition { Name = "look", When = "items == 1 || items == 3", Then = "review" },
                new RuleDefinition { Name = "trusted", When = "items == 2 || items == 3", Then = "approve" },
                new RuleDefinition { Name = "trial", When = "items == 4", Then = "decline", Shadow = true },
            ],
            withoutModel: "decline");
        var (policy, output) = Decide(definition, new(0.5, 0.9), (score, items));
        Assert.Equal(expected, Names[(int)output.Decisions[0]]);
        Assert.Equal(items == 4 ? 0b100UL : 0UL, output.ShadowHits[0]);
        Assert.Equal(["LOOK", "TRUSTED", "TRIAL"], policy.Rules.Select(rule => rule.Reason));
    }

    [Fact]
    public void The_policy_goes_before_the_models_own_thresholds()
    {
        var definition = Definition([], "approve") with { Policy = new PolicyDefinition { Review = 0.2 } };
        var (policy, output) = Decide(definition, new(0.5, 0.9), (0.3, 0));
        Assert.Equal(new Thresholds(0.2, 0.9), policy.Thresholds);
        Assert.Equal(Decision.Review, output.Decisions[0]);
    }

    [Fact]
    public void Random_rules_and_scores_are_decided_as_the_sentences_say() =>
        Gen.Select(
            Gen.Select(Gen.Int[0, 4], Gen.OneOf(Names), Gen.Bool).Array[0, 8],
            Gen.OneOf(Names),
            Gen.Select(Gen.OneOf(double.NaN, 0, 0.3, 0.5, 0.7, 1), Gen.Long[0, 4]).Array[1, 40])
        .Sample((rules, withoutModel, rows) =>
        {
            var definition = Definition(
                [.. rules.Select((rule, i) => new RuleDefinition { Name = $"r{i}", When = $"items >= {rule.Item1}", Then = rule.Item2, Shadow = rule.Item3 })],
                withoutModel);
            var (_, output) = Decide(definition, new(0.3, 0.7), rows);
            for (int row = 0; row < rows.Length; row++)
            {
                var (score, items) = rows[row];
                var asked = rules.Where(rule => !rule.Item3 && items >= rule.Item1).Select(rule => rule.Item2).ToList();
                bool modelSpeaks = !double.IsNaN(score) && !asked.Contains("approve", StringComparer.Ordinal);
                if (modelSpeaks)
                {
                    asked.Add(score >= 0.7 ? "decline" : score >= 0.3 ? "review" : "approve");
                }

                string expected = asked.Count == 0 ? withoutModel : Names[asked.Max(name => Array.IndexOf(Names, name))];
                Assert.Equal(expected, Names[(int)output.Decisions[row]]);
                Assert.Equal(Enumerable.Range(0, rules.Length).Where(i => !rules[i].Item3 && items >= rules[i].Item1), Bits(output.RuleHits[row]));
                Assert.Equal(Enumerable.Range(0, rules.Length).Where(i => rules[i].Item3 && items >= rules[i].Item1), Bits(output.ShadowHits[row]));
            }
        }, iter: 500);

    [Fact]
    public void All_64_rules_have_a_bit_and_a_65th_is_refused()
    {
        var rules = Enumerable.Range(0, 64).Select(i => new RuleDefinition { Name = $"r{i}", When = $"items >= {i}", Then = "review" }).ToList();
        var (_, output) = Decide(Definition(rules, "approve"), new(0.5, 0.9), (0.1, 63));
        Assert.Equal(ulong.MaxValue, output.RuleHits[0]);
        rules.Add(new RuleDefinition { Name = "r64", When = "items > 1", Then = "review" });
        Assert.Throws<ArgumentException>(() => DecisionPolicy.Compile(Definition(rules, "approve"), Schema, [], null));
    }

    private static ServiceDefinition Definition(IReadOnlyList<RuleDefinition> rules, string withoutModel) =>
        new() { Service = "test", Events = new EventMapping(), Rules = rules, Policy = new PolicyDefinition { WithoutModel = withoutModel } };

    private static (DecisionPolicy Policy, DecisionBatch Output) Decide(ServiceDefinition definition, Thresholds thresholds, params (double Score, long Items)[] rows)
    {
        var batch = new TransactionBatch(Schema, rows.Length);
        int items = Schema.ColumnIndex(Schema.IndexOf("items"));
        foreach (var (_, count) in rows)
        {
            int row = batch.NextRow();
            batch.Text(Schema.Currency).Set(row, Encoding.UTF8.GetBytes("EUR"));
            batch.Integers(items)[row] = count;
            batch.Accept(0, row, 0);
        }

        var policy = DecisionPolicy.Compile(definition, Schema, [], thresholds);
        var output = new DecisionBatch(rows.Length);
        policy.Decide(batch, new FeatureBlock(0, rows.Length), rows.Select(row => row.Score).ToArray(), output);
        return (policy, output);
    }

    private static IEnumerable<int> Bits(ulong word) => Enumerable.Range(0, 64).Where(bit => (word >> bit & 1) != 0);
}
