using System.Numerics;
using Scoring.Models.Decisions;

namespace Scoring.Models.Events.Scores;

/// <summary>Writes the JSON of a <see cref="Score"/> into a buffer of its own that is reused: nothing is allocated per event. One per lane.</summary>
/// <remarks>
/// The members stand in the order of the record; <c>scored_at</c> and <c>processing_ms</c>, the only ones that depend on the clock,
/// stand last: <see cref="TimelessLength"/> bytes before them are the same on every run.
/// </remarks>
public sealed class ScoreWriter
{
    private static readonly byte[][] DegradationJson =
    [
        .. Enumerable.Range(0, 8).Select(flags => flags == 0
            ? ",\"degraded\":false,\"degraded_reason\":null"u8.ToArray()
            : System.Text.Encoding.UTF8.GetBytes($",\"degraded\":true,\"degraded_reason\":\"{ReasonOf((Degradation)flags)}\"")),
    ];

    private readonly JsonBytes json = new();
    private readonly Reason[] reasons = new Reason[ReasonCodes.Most];
    private readonly bool emitFeatures;
    private readonly DeterministicIds ids;

    /// <summary>Makes a writer for one model and definition.</summary>
    /// <param name="template">What its scores have in common.</param>
    /// <param name="emitFeatures">Whether the feature vector is written too; the feature blocks must then keep exact values.</param>
    public ScoreWriter(ScoreTemplate template, bool emitFeatures = false)
    {
        Template = template;
        this.emitFeatures = emitFeatures;
        ids = DeterministicIds.OfScores(template.Service, template.Model?.Sha256);
    }

    /// <summary>What its scores have in common.</summary>
    public ScoreTemplate Template { get; }

    /// <summary>Bytes of the score written last that do not depend on the clock.</summary>
    public int TimelessLength { get; private set; }

    /// <summary>The deterministic identifier (<c>ce_id</c>) of a transaction's score.</summary>
    public Guid IdOf(ReadOnlySpan<byte> transactionId) => ids.Of(transactionId);

    /// <summary>Writes one score.</summary>
    /// <returns>The JSON, good until the next call.</returns>
    public ReadOnlySpan<byte> Write(in ScoreFacts facts)
    {
        json.Clear();
        AppendScore(json, Template, reasons, facts);
        if (emitFeatures)
        {
            AppendFeatures(facts);
        }

        TimelessLength = json.Written.Length;
        AppendTimes(json, facts);
        return json.Written;
    }

    /// <summary>The names of what was missing, the worst first, joined by commas.</summary>
    internal static string ReasonOf(Degradation degradation) =>
        string.Join(',', new[]
        {
            degradation.HasFlag(Degradation.RulesOnly) ? "rules_only" : "",
            degradation.HasFlag(Degradation.TreesOnly) ? "trees_only" : "",
            degradation.HasFlag(Degradation.StaleAggregates) ? "stale_aggregates" : "",
        }.Where(name => name.Length > 0));

    /// <summary>Appends the members of a score from the opening brace to <c>source</c>.</summary>
    internal static void AppendScore(JsonBytes json, ScoreTemplate template, Span<Reason> reasons, in ScoreFacts facts)
    {
        var batch = facts.Batch;
        int row = facts.Row;
        json.Raw("{\"transaction_id\":"u8);
        json.Quoted(batch.TransactionIds[row]);
        json.Raw(",\"account_id\":"u8);
        json.Quoted(batch.AccountIds[row]);
        json.Raw(",\"event_time\":"u8);
        json.Time(batch.EventTimesMs[row]);
        json.Raw(",\"score\":"u8);
        json.Number(facts.Score);
        json.Raw(facts.Decisions.Decisions[row] switch
        {
            Decision.Approve => ",\"decision\":\"approve\""u8,
            Decision.Review => ",\"decision\":\"review\""u8,
            _ => ",\"decision\":\"decline\""u8,
        });
        json.Raw(template.Thresholds);
        json.Raw(double.IsNaN(facts.Score) ? "null"u8 : template.ModelJson);
        json.Raw(",\"component_scores\":{\"trees\":"u8);
        json.Number(facts.TreesScore);
        json.Raw(",\"network\":"u8);
        json.Number(facts.NetworkScore);
        json.Raw("},\"rules\":["u8);
        AppendNames(json, template.RuleNames, facts.Decisions.RuleHits[row]);
        json.Raw("],\"shadow_rules\":["u8);
        AppendNames(json, template.RuleNames, facts.Decisions.ShadowHits[row]);
        json.Raw("],\"reason_codes\":["u8);
        AppendReasons(json, template, reasons, facts);
        json.Raw("]"u8);
        json.Raw(DegradationJson[(int)facts.Degradation]);
        json.Raw(template.DefinitionJson);
        json.Integer(batch.Partitions[row]);
        json.Raw(",\"offset\":"u8);
        json.Integer(batch.Offsets[row]);
        json.Raw("}"u8);
    }

    /// <summary>Appends the members that depend on the clock and the closing brace.</summary>
    internal static void AppendTimes(JsonBytes json, in ScoreFacts facts)
    {
        json.Raw(",\"scored_at\":"u8);
        json.Time(facts.ScoredAtMs);
        json.Raw(",\"processing_ms\":"u8);
        json.Number(Math.Round(facts.ProcessingMs, 3));
        json.Raw("}"u8);
    }

    private static void AppendNames(JsonBytes json, byte[][] names, ulong hits)
    {
        for (bool first = true; hits != 0; hits &= hits - 1, first = false)
        {
            json.Raw(first ? ""u8 : ","u8);
            json.Raw(names[BitOperations.TrailingZeroCount(hits)]);
        }
    }

    private static void AppendReasons(JsonBytes json, ScoreTemplate template, Span<Reason> reasons, in ScoreFacts facts)
    {
        int row = facts.Row;
        int count = template.ReasonCodes.Pick(facts.Decisions.Decisions[row], facts.Decisions.RuleHits[row], facts.Contributions, reasons);
        for (int i = 0; i < count; i++)
        {
            var reason = reasons[i];
            json.Raw(i == 0 ? ""u8 : ","u8);
            if (reason.RuleIndex >= 0)
            {
                json.Raw(template.RuleReasons[reason.RuleIndex]);
                continue;
            }

            var text = template.Texts[reason.FeatureIndex];
            float value = facts.Features.Get(row, reason.FeatureIndex);
            json.Raw("{\"code\":"u8);
            json.Raw(text.Code);
            json.Raw(",\"feature\":"u8);
            json.Raw(text.Name);
            json.Raw(",\"direction\":\"increases\",\"contribution\":"u8);
            json.Number(reason.Contribution);
            json.Raw(",\"text\":"u8);
            text.AppendSentence(json, value);
            json.Raw(",\"value\":"u8);
            json.Number(value);
            json.Raw("}"u8);
        }
    }

    private void AppendFeatures(in ScoreFacts facts)
    {
        var values = facts.Features.ExactRow(facts.Row);
        json.Raw(",\"features\":{"u8);
        for (int i = 0; i < values.Length; i++)
        {
            json.Raw(i == 0 ? ""u8 : ","u8);
            json.Raw(Template.Texts[i].Name);
            json.Raw(":"u8);
            json.Number(values[i]);
        }

        json.Raw("}"u8);
    }
}
