using CsCheck;
using Scoring.Models.Decisions;
using Scoring.Models.Definitions;
using Scoring.Models.Events;

namespace Scoring.Models.Tests.Decisions;

public sealed class ReasonCodesTests
{
    private static readonly ServiceDefinition Definition = new()
    {
        Service = "test",
        Events = new EventMapping(),
        Features =
        [
            new() { Name = "count_1h", Aggregate = "count", Reason = "VELOCITY" },
            new() { Name = "count_24h", Aggregate = "count", Reason = "VELOCITY" },
            new() { Name = "night", Aggregate = "night" },
            new() { Name = "ratio", Aggregate = "ratio_to_mean" },
            new() { Name = "hour", Aggregate = "hour" },
            new() { Name = "weekend", Aggregate = "weekend" },
        ],
        Rules =
        [
            new() { Name = "big", When = "amount > 1", Then = "decline" },
            new() { Name = "fast", When = "count_1h > 1", Then = "decline", Reason = "VELOCITY" },
            new() { Name = "odd", When = "amount > 2", Then = "review" },
        ],
    };

    private static readonly DecisionPolicy Policy =
        DecisionPolicy.Compile(Definition, new EventSchema(TransactionFields.All), [.. Definition.Features.Select(feature => feature.Name)], new(0.5, 0.9));

    [Theory]
    [InlineData(Decision.Approve, 0, new double[] { 0, -1, 0, -2, 0, 0 }, "")]
    [InlineData(Decision.Decline, 0, new double[] { 1, 2, 3, 0.5, -4, double.NaN }, "NIGHT VELOCITY RATIO")] // VELOCITY once, by count_24h
    [InlineData(Decision.Decline, 0b001, new double[] { 1, 2, 3, 4, 5, 6 }, "BIG WEEKEND HOUR RATIO")] // the rule that decided first
    [InlineData(Decision.Decline, 0b100, new double[] { 1, 0, 0, 0, 0, 0 }, "VELOCITY")] // odd asked for less than was decided
    [InlineData(Decision.Decline, 0b010, new double[] { 1, 2, 3, 0, 0, 0 }, "VELOCITY NIGHT")] // told by the rule already
    [InlineData(Decision.Review, 0b100, new double[] { 1, 1, 1, 1, 1, 1 }, "ODD VELOCITY NIGHT RATIO")] // equal ones as they come
    [InlineData(Decision.Review, 0b100, new double[0], "ODD")]
    public void Picks_what_decided_then_what_raised_the_score(Decision decision, ulong hits, double[] contributions, string expected) =>
        Assert.Equal(expected, string.Join(' ', Pick(decision, hits, contributions)));

    [Fact]
    public void Random_contributions_are_picked_as_a_sort_would() =>
        Gen.OneOf(0.0, 1, 2, 3, -1, double.NaN, double.PositiveInfinity, 0.5).Array[6].Sample(contributions =>
        {
            var expected = Enumerable.Range(0, 6)
                .Where(feature => contributions[feature] > 0 && double.IsFinite(contributions[feature]))
                .OrderByDescending(feature => contributions[feature])
                .Select(feature => ReasonCodes.CodeOf(Definition.Features[feature]))
                .Distinct(StringComparer.Ordinal)
                .Take(4);
            Assert.Equal(expected, Pick(Decision.Decline, 0, contributions));
        });

    private static List<string> Pick(Decision decision, ulong hits, double[] contributions)
    {
        var reasons = new Reason[ReasonCodes.Most];
        int count = new ReasonCodes(Definition, Policy).Pick(decision, hits, contributions, reasons);
        return [.. reasons[..count].Select(reason =>
            reason.RuleIndex >= 0 ? Policy.Rules[reason.RuleIndex].Reason : ReasonCodes.CodeOf(Definition.Features[reason.FeatureIndex]))];
    }
}
