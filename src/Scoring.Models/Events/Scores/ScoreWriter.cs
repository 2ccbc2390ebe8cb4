using System.Numerics;
using Scoring.Models.Decisions;
using Scoring.Models.Features;

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
    private readonly ClockMembers clock = new();
    private readonly Reason[] reasons = new Reason[ReasonCodes.Most];
    private readonly bool emitFeatures;
    private readonly DeterministicIds ids;
    private KeptAnswer written;
    private Answerer? earlier;
    private AnswererJson? earlierJson;
    private DeterministicIds? earlierIds;

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

    /// <summary>The identifier of a score of another answerer: a repeat's score has that of the first one's.</summary>
    public Guid IdOf(ReadOnlySpan<byte> transactionId, Answerer answerer) => (IsOurs(answerer) ? ids : IdsOf(answerer)).Of(transactionId);

    /// <summary>Writes one score.</summary>
    /// <returns>The JSON, good until the next call.</returns>
    public ReadOnlySpan<byte> Write(in ScoreFacts facts)
    {
        json.Clear();
        written = facts.Keep(Template, reasons);
        AppendScore(json, Template, Template.AnswererJson, written, facts.Batch, facts.Row);
        if (emitFeatures)
        {
            AppendFeatures(facts);
        }

        TimelessLength = json.Written.Length;
        json.Raw(clock.For(facts.ScoredAtMs, facts.ProcessingMs));
        return json.Written;
    }

    /// <summary>What was written last, to be remembered.</summary>
    public KeptAnswer Written => written;

    /// <summary>Writes the score of a transaction that came before: what was answered then.</summary>
    /// <param name="batch">Where the repeat stands.</param>
    /// <param name="row">Its row.</param>
    /// <param name="answer">What was answered.</param>
    /// <param name="answerer">Who answered. Of another definition than this one's the names of the rules are not known any more: they are left out.</param>
    /// <param name="firstOffset">Where the first one stands, in the repeat's partition.</param>
    /// <param name="processingMs">From the arrival of the repeat to now, ms.</param>
    /// <returns>The JSON, good until the next call. It carries no features.</returns>
    public ReadOnlySpan<byte> WriteRepeat(TransactionBatch batch, int row, scoped in KeptAnswer answer, Answerer answerer, long firstOffset, double processingMs)
    {
        json.Clear();
        AppendScore(json, Template, JsonOf(answerer), answer, batch, row, hasRules: string.Equals(answerer.DefinitionSha256, Template.DefinitionSha256, StringComparison.Ordinal));
        json.Raw(",\"duplicate_of\":"u8);
        AppendSource(json, batch.Partitions[row], firstOffset);
        TimelessLength = json.Written.Length;
        json.Raw(clock.For(answer.ScoredAtMs, processingMs));
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
    internal static void AppendScore(JsonBytes json, ScoreTemplate template, AnswererJson answerer, in KeptAnswer answer, TransactionBatch batch, int row, bool hasRules = true)
    {
        json.Raw("{\"transaction_id\":"u8);
        json.Quoted(batch.TransactionIds[row]);
        json.Raw(",\"account_id\":"u8);
        json.Quoted(batch.AccountIds[row]);
        json.Raw(",\"event_time\":"u8);
        json.Time(batch.EventTimesMs[row]);
        json.Raw(",\"score\":"u8);
        int scoreAt = json.Written.Length;
        json.Number(answer.Score);
        int scoreEnd = json.Written.Length;
        json.Raw(answer.Decision switch
        {
            Decision.Approve => ",\"decision\":\"approve\""u8,
            Decision.Review => ",\"decision\":\"review\""u8,
            _ => ",\"decision\":\"decline\""u8,
        });
        json.Raw(answerer.Thresholds);
        json.Raw(double.IsNaN(answer.Score) ? "null"u8 : answerer.Model);
        json.Raw(",\"component_scores\":{\"trees\":"u8);
        if (BitConverter.DoubleToInt64Bits(answer.TreesScore) == BitConverter.DoubleToInt64Bits(answer.Score))
        {
            json.Again(scoreAt, scoreEnd - scoreAt); // Of a model without a network: its digits need not be found twice.
        }
        else
        {
            json.Number(answer.TreesScore);
        }

        json.Raw(",\"network\":"u8);
        json.Number(answer.NetworkScore);
        json.Raw("},\"rules\":["u8);
        AppendNames(json, template.RuleNames, hasRules ? answer.RuleHits : 0);
        json.Raw("],\"shadow_rules\":["u8);
        AppendNames(json, template.RuleNames, hasRules ? answer.ShadowHits : 0);
        json.Raw("],\"reason_codes\":["u8);
        AppendReasons(json, template, answer.Reasons, hasRules);
        json.Raw("]"u8);
        json.Raw(DegradationJson[(int)answer.Degradation]);
        if ((answer.Degradation & Degradation.StaleAggregates) == Degradation.StaleAggregates)
        {
            json.Raw(",\"aggregates_behind_seconds\":"u8);
            json.Number(answer.AggregatesBehindMs == long.MaxValue ? double.NaN : answer.AggregatesBehindMs / 1_000.0);
        }

        json.Raw(answerer.Definition);
        json.Raw(",\"source\":"u8);
        AppendSource(json, batch.Partitions[row], batch.Offsets[row]);
    }

    private static void AppendSource(JsonBytes json, int partition, long offset)
    {
        json.Raw("{\"partition\":"u8);
        json.Integer(partition);
        json.Raw(",\"offset\":"u8);
        json.Integer(offset);
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

    private static void AppendReasons(JsonBytes json, ScoreTemplate template, ReadOnlySpan<KeptReason> reasons, bool hasRules)
    {
        bool first = true;
        foreach (var reason in reasons)
        {
            if (reason.RuleIndex >= 0 && !hasRules)
            {
                continue;
            }

            json.Raw(first ? ""u8 : ","u8);
            first = false;
            if (reason.RuleIndex >= 0)
            {
                json.Raw(template.RuleReasons[reason.RuleIndex]);
                continue;
            }

            var text = template.Texts[reason.FeatureIndex];
            json.Raw("{\"code\":"u8);
            json.Raw(text.Code);
            json.Raw(",\"feature\":"u8);
            json.Raw(text.Name);
            json.Raw(",\"direction\":\"increases\",\"contribution\":"u8);
            json.Number(reason.Contribution);
            json.Raw(",\"text\":"u8);
            text.AppendSentence(json, reason.Value);
            json.Raw(",\"value\":"u8);
            json.Number(reason.Value);
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

    private bool IsOurs(Answerer answerer) => answerer.Number == Template.Answerer.Number;

    private AnswererJson JsonOf(Answerer answerer)
    {
        if (IsOurs(answerer))
        {
            return Template.AnswererJson;
        }

        Meet(answerer);
        return earlierJson!;
    }

    private DeterministicIds IdsOf(Answerer answerer)
    {
        Meet(answerer);
        return earlierIds!;
    }

    // Repeats come soon after their first ones: most are of this answerer, nearly all others of the one before it.
    private void Meet(Answerer answerer)
    {
        if (earlier?.Number != answerer.Number)
        {
            (earlier, earlierJson, earlierIds) = (answerer, new AnswererJson(answerer), DeterministicIds.OfScores(Template.Service, answerer.Model?.Sha256));
        }
    }
}
