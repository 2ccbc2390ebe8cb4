using Scoring.Models.Decisions;

namespace Scoring.Models.Events.Scores;

/// <summary>Writes the JSON of an <see cref="Alert"/> into a buffer of its own that is reused: nothing is allocated per event. One per lane.</summary>
/// <remarks>As with scores, what depends on the clock stands last.</remarks>
public sealed class AlertWriter
{
    private readonly JsonBytes json = new();
    private readonly ClockMembers clock = new();
    private readonly Reason[] reasons = new Reason[ReasonCodes.Most];
    private readonly int[] order;
    private readonly DeterministicIds ids;

    /// <summary>Makes a writer for one model and definition.</summary>
    public AlertWriter(ScoreTemplate template)
    {
        Template = template;
        order = new int[template.Texts.Length];
        ids = DeterministicIds.OfAlerts(template.Service, template.Model?.Sha256, template.DefinitionSha256);
    }

    /// <summary>What its alerts have in common.</summary>
    public ScoreTemplate Template { get; }

    /// <summary>Bytes of the alert written last that do not depend on the clock.</summary>
    public int TimelessLength { get; private set; }

    /// <summary>The deterministic identifier (<c>alert_id</c> and <c>ce_id</c>) of a transaction's alert.</summary>
    public Guid IdOf(ReadOnlySpan<byte> transactionId) => ids.Of(transactionId);

    /// <summary>Writes one alert.</summary>
    /// <param name="facts">A row whose decision is review or decline.</param>
    /// <returns>The JSON, good until the next call.</returns>
    public ReadOnlySpan<byte> Write(in ScoreFacts facts)
    {
        var batch = facts.Batch;
        int row = facts.Row;
        json.Clear();
        ScoreWriter.AppendScore(json, Template, Template.AnswererJson, facts.Keep(Template, reasons), batch, row);
        json.Raw(",\"alert_id\":"u8);
        json.Uuid(ids.Of(batch.TransactionIds[row]));
        json.Raw(SeverityOf(facts) switch
        {
            AlertSeverity.Low => ",\"severity\":\"low\""u8,
            AlertSeverity.Medium => ",\"severity\":\"medium\""u8,
            AlertSeverity.High => ",\"severity\":\"high\""u8,
            _ => ",\"severity\":\"critical\""u8,
        });
        json.Raw(",\"amount_minor\":"u8);
        json.Integer(batch.AmountsMinor[row]);
        json.Raw(",\"currency\":"u8);
        json.Quoted(batch.Currencies[row]);
        json.Raw(",\"merchant_id\":"u8);
        json.Quoted(batch.MerchantIds[row]);
        AppendFacts(batch, row);
        json.Raw(",\"evidence\":["u8);
        AppendEvidence(facts);
        json.Raw("],\"base_log_odds\":"u8);
        json.Number(facts.Contributions.IsEmpty ? double.NaN : facts.BaseLogOdds);
        json.Raw(",\"exposure_minor\":"u8);
        json.Integer(batch.AmountsMinor[row]);
        TimelessLength = json.Written.Length;
        json.Raw(clock.For(facts.ScoredAtMs, facts.ProcessingMs));
        return json.Written;
    }

    /// <summary>How urgent a row is; see <see cref="AlertSeverity"/>.</summary>
    public AlertSeverity SeverityOf(in ScoreFacts facts)
    {
        var decision = facts.Decisions.Decisions[facts.Row];
        var thresholds = Template.Policy.Thresholds ?? new Thresholds(1, 1);
        if (decision == Decision.Decline)
        {
            return facts.Score >= (thresholds.Decline + 1) / 2 ? AlertSeverity.Critical : AlertSeverity.High;
        }

        bool asked = Template.Policy.Deciding(decision, facts.Decisions.RuleHits[facts.Row]) != 0;
        return asked || !(facts.Score < (thresholds.Review + thresholds.Decline) / 2) ? AlertSeverity.Medium : AlertSeverity.Low;
    }

    private void AppendFacts(TransactionBatch batch, int row)
    {
        foreach (var fact in Template.Facts)
        {
            if (fact.Kind == FieldKind.Text && batch.Text(fact.Column).Has(row))
            {
                json.Raw(fact.Member);
                json.Quoted(batch.Text(fact.Column)[row]);
            }
            else if (fact.Kind == FieldKind.Boolean && batch.Booleans(fact.Column)[row] >= 0)
            {
                json.Raw(fact.Member);
                json.Raw(batch.Booleans(fact.Column)[row] == 1 ? "true"u8 : "false"u8);
            }
        }
    }

    private void AppendEvidence(in ScoreFacts facts)
    {
        int count = OrderByStrength(facts.Contributions);
        for (int i = 0; i < count; i++)
        {
            int feature = order[i];
            float value = facts.Features.Get(facts.Row, feature);
            json.Raw(i == 0 ? "{\"feature\":"u8 : ",{\"feature\":"u8);
            json.Raw(Template.Texts[feature].Name);
            json.Raw(",\"value\":"u8);
            json.Number(value);
            json.Raw(",\"contribution\":"u8);
            json.Number(facts.Contributions[feature]);
            json.Raw(",\"text\":"u8);
            Template.Texts[feature].AppendSentence(json, value);
            json.Raw("}"u8);
        }
    }

    /// <summary>Puts the features that moved the score into <see cref="order"/>, the strongest first, equal ones as they come; alerts are few, so by insertion.</summary>
    private int OrderByStrength(ReadOnlySpan<double> contributions)
    {
        int count = 0;
        for (int feature = 0; feature < contributions.Length; feature++)
        {
            double strength = Math.Abs(contributions[feature]);
            if (!(strength > 0) || !double.IsFinite(strength))
            {
                continue;
            }

            int at = count++;
            for (; at > 0 && Math.Abs(contributions[order[at - 1]]) < strength; at--)
            {
                order[at] = order[at - 1];
            }

            order[at] = feature;
        }

        return count;
    }
}
