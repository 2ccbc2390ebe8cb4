using System.Text;
using System.Text.Json;
using CsCheck;
using Scoring.Models.Decisions;
using Scoring.Models.Events;
using Scoring.Models.Events.Scores;
using Scoring.Models.Features;

namespace Scoring.Models.Tests.Events.Scores;

public sealed class ScoreWriterTests
{
    // Any text that UTF-8 can hold: control characters, quotes, what HTML minds, other scripts, characters beyond the first plane.
    private static readonly Gen<string> Text =
        Gen.OneOf(
            Gen.Char['\u0001', '\u001f'].Select(c => c.ToString()),
            Gen.Char[' ', '~'].Select(c => c.ToString()),
            Gen.OneOf("\"", "\\", "/", "<script>", "\u007f", "\u2028", "é", "漢", "😀", "\ufffd", "\ufeff"))
        .Array[1, 20].Select(string.Concat);

    private static readonly Gen<double> Probability = Gen.OneOf(Gen.Double[0, 1], Gen.OneOf(0.0, 1, double.NaN, 1e-300, 0.1, 5e-324));

    [Fact]
    public void A_score_reads_as_documented()
    {
        var world = new ScoreWorld(score: 0.5, ratio: 3.1, amountMinor: 100_000);
        string json = Encoding.UTF8.GetString(new ScoreWriter(ScoreWorld.Template, emitFeatures: true).Write(world.Facts(degradation: Degradation.TreesOnly | Degradation.StaleAggregates)));
        Assert.Equal(
            """
            {"transaction_id":"t-1","account_id":"a-1","event_time":"2023-11-14T22:13:20.123Z","score":0.5,"decision":"review",
            "thresholds":{"review":0.25,"decline":0.75},"model":{"name":"cards \"2026\"","version":"3","sha256":"aaa"},
            "component_scores":{"trees":0.5,"network":null},"rules":["large"],"shadow_rules":["tried"],
            "reason_codes":[{"code":"LARGE","feature":null,"direction":"increases","contribution":null,"text":"Rule large asks for review","value":null},
            {"code":"AMOUNT_VS_BASELINE","feature":"amount_ratio","direction":"increases","contribution":1.5,"text":"Amount is 3.1 x the account's \"mean\" – 3.1","value":3.1}],
            "degraded":true,"degraded_reason":"trees_only,stale_aggregates","aggregates_behind_seconds":2.5,"definition":{"version":7,"sha256":"ddd"},"source":{"partition":3,"offset":42},
            "features":{"amount_ratio":3.1,"night":null},"scored_at":"2023-11-14T22:13:20.500Z","processing_ms":0.412}
            """.ReplaceLineEndings("").Replace("aaa", new string('a', 64), StringComparison.Ordinal).Replace("ddd", new string('d', 64), StringComparison.Ordinal),
            json);
    }

    [Fact]
    public void Any_accepted_input_reads_back_strictly_with_equal_values() =>
        Gen.Select(
            Gen.Select(Text, Text, Text, Gen.OneOf(Gen.Const((string?)null), Text.Select(text => (string?)text)), Gen.OneOf<bool?>(null, true, false)),
            Gen.Select(Gen.Long[0, long.MaxValue], Gen.Long[0, 4_102_444_800_000], Probability, Gen.Double, Gen.OneOf(Gen.Double, Gen.OneOf(0.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity)).Array[2], Gen.Int[0, 7]))
        .Sample((texts, numbers) =>
        {
            var (transaction, account, merchant, channel, present) = texts;
            var (amount, time, probability, ratio, contributions, degradation) = numbers;
            var world = new ScoreWorld(transaction, account, merchant, channel, present, amount, time, probability, ratio, contributions);
            var facts = world.Facts(degradation: (Degradation)degradation);

            var score = Read<Score>(new ScoreWriter(ScoreWorld.Template, emitFeatures: true).Write(facts));
            Assert.Equal((transaction, account, time), (score.TransactionId, score.AccountId, score.EventTime.ToUnixTimeMilliseconds()));
            Assert.Equal(OrNull(probability), score.Probability);
            Assert.Equal(new ComponentScores(OrNull(probability), null), score.ComponentScores);
            Assert.Equal(world.Decisions.Decisions[0], score.Decision);
            Assert.Equal(double.IsNaN(probability) ? null : ScoreWorld.Model, score.Model);
            Assert.Equal(ScoreWorld.Policy.Thresholds, score.Thresholds);
            Assert.Equal(degradation != 0, score.Degraded);
            Assert.Equal(new ScoreSource(3, 42), score.Source);
            Assert.Equal(OrNull(ratio), score.Features!["amount_ratio"]);
            Assert.All(score.ReasonCodes.Where(reason => reason.Feature is "amount_ratio"), reason => Assert.Equal(OrNull((float)ratio), (float?)reason.Value));

            var alert = Read<Alert>(new AlertWriter(ScoreWorld.Template).Write(facts));
            Assert.Equal((amount, merchant, channel, present), (alert.AmountMinor, alert.MerchantId, alert.Channel, alert.CardPresent));
            Assert.Equal((amount, -4.5), (alert.ExposureMinor, alert.BaseLogOdds));
            Assert.Equal(
                contributions.Where(contribution => Math.Abs(contribution) > 0 && double.IsFinite(contribution)).OrderByDescending(Math.Abs),
                alert.Evidence.Select(evidence => evidence.Contribution));
        }, iter: 5_000);

    [Fact]
    public void The_answer_to_a_repeat_is_the_first_ones_in_all_but_its_place() =>
        Gen.Select(Probability, Gen.Double, Gen.OneOf(Gen.Double, Gen.OneOf(0.0, double.NaN, double.PositiveInfinity)).Array[2], Gen.Int[0, 7], Gen.Bool).Sample((probability, ratio, contributions, degradation, isAnother) =>
        {
            var world = new ScoreWorld("t-1", "a-1", "m-1", null, true, 100_000, 1_700_000_000_123, probability, ratio, contributions);
            var writer = new ScoreWriter(ScoreWorld.Template);
            var facts = world.Facts(degradation: (Degradation)degradation);
            string first = Encoding.UTF8.GetString(writer.Write(facts));
            var answerer = isAnother ? new Answerer(new ScoreModel("other", "9", new string('b', 64)), new Thresholds(0.1, 0.2), 8, ScoreWorld.Template.DefinitionSha256) : ScoreWorld.Template.Answerer;
            string repeat = Encoding.UTF8.GetString(writer.WriteRepeat(facts.Batch, facts.Row, writer.Written, answerer, firstOffset: 17, facts.ProcessingMs));
            var (score, again) = (Read<Score>(Encoding.UTF8.GetBytes(first)), Read<Score>(Encoding.UTF8.GetBytes(repeat)));
            Assert.Equal(new ScoreSource(3, 17), again.DuplicateOf);
            Assert.Equal(isAnother ? answerer.Model : score.Model, again.Model ?? (isAnother ? answerer.Model : null));
            Assert.Equal(isAnother ? answerer.Thresholds : score.Thresholds, again.Thresholds);
            if (!isAnother)
            {
                Assert.Equal(first, repeat.Replace(",\"duplicate_of\":{\"partition\":3,\"offset\":17}", "", StringComparison.Ordinal));
            }
        }, iter: 2_000);

    [Fact]
    public void What_the_clock_says_stands_last_and_nothing_else_changes()
    {
        var world = new ScoreWorld();
        var writer = new ScoreWriter(ScoreWorld.Template);
        byte[] first = writer.Write(world.Facts(scoredAtMs: 1)).ToArray();
        int timeless = writer.TimelessLength;
        byte[] second = writer.Write(world.Facts(scoredAtMs: 2)).ToArray();
        Assert.Equal(first[..timeless], second[..timeless]);
        Assert.StartsWith(",\"scored_at\":", Encoding.UTF8.GetString(first[timeless..]), StringComparison.Ordinal);

        var alerts = new AlertWriter(ScoreWorld.Template);
        byte[] alert = alerts.Write(world.Facts()).ToArray();
        Assert.StartsWith(",\"scored_at\":", Encoding.UTF8.GetString(alert[alerts.TimelessLength..]), StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_UTF8_still_give_UTF8()
    {
        var world = new ScoreWorld();
        world.Batch.AccountIds.Set(0, [(byte)'a', 0xC3, (byte)'"', 0xED, 0xA0, 0x80, 0xFF]);
        var score = Read<Score>(new ScoreWriter(ScoreWorld.Template).Write(world.Facts()));
        Assert.StartsWith("a\ufffd\"", score.AccountId, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.5, 1250, AlertSeverity.Medium)] // half-way from 0.25 to 0.75
    [InlineData(0.4, 1250, AlertSeverity.Low)]
    [InlineData(0.4, 100_000, AlertSeverity.Medium)] // a rule asked for it
    [InlineData(double.NaN, 100_000, AlertSeverity.Medium)]
    [InlineData(0.8, 1250, AlertSeverity.High)]
    [InlineData(0.875, 1250, AlertSeverity.Critical)] // half-way from 0.75 to 1
    public void Severity_follows_decision_and_score(double score, long amountMinor, AlertSeverity expected) =>
        Assert.Equal(expected, Read<Alert>(new AlertWriter(ScoreWorld.Template).Write(new ScoreWorld(score: score, amountMinor: amountMinor).Facts())).Severity);

    [Fact]
    public void Writing_allocates_nothing()
    {
        var world = new ScoreWorld(merchantId: "Käse \"漢\"", channel: "ecommerce", ratio: 12345.678, score: 0.9, contributions: [1.5, 0.5]);
        var scores = new ScoreWriter(ScoreWorld.Template, emitFeatures: true);
        var alerts = new AlertWriter(ScoreWorld.Template);
        var reread = new DecisionBatch(1);
        var id = new byte[ScoreHeaders.IdLength];
        double[] score = [0.9];
        long allocated = 0;
        long bytes = 0;
        for (int i = 0; i < 200; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            ScoreWorld.Policy.Decide(world.Batch, world.Features, score, reread);
            bytes += scores.Write(world.Facts()).Length + alerts.Write(world.Facts()).Length;
            ScoreHeaders.WriteId(scores.IdOf(world.Batch.TransactionIds[0]), id);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before; // the last round counts: buffers have their size by then
        }

        Assert.Equal(0, allocated);
        Assert.True(bytes > 0);
    }

    private static double? OrNull(double value) => double.IsFinite(value) ? value : null;

    private static T Read<T>(ReadOnlySpan<byte> json)
    {
        using var document = JsonDocument.Parse(json.ToArray());
        return JsonSerializer.Deserialize<T>(json, OutputJson.Options)!;
    }
}
