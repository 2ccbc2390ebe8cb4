using System.Text;
using Scoring.Models.Decisions;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Events.Scores;
using Scoring.Models.Features;

namespace Scoring.Models.Tests.Events.Scores;

/// <summary>One decided transaction, ready to be written.</summary>
internal sealed class ScoreWorld
{
    public static readonly EventSchema Schema = new(TransactionFields.All);

    public static readonly ServiceDefinition Definition = new()
    {
        Service = "card-payments",
        Version = 7,
        Events = new EventMapping(),
        Features =
        [
            new() { Name = "amount_ratio", Aggregate = "ratio_to_mean", Reason = "AMOUNT_VS_BASELINE", Text = "Amount is {value} x the account's \"mean\" \u2013 {value}" },
            new() { Name = "night", Aggregate = "night" },
        ],
        Rules =
        [
            new() { Name = "large", When = "amount_minor >= 100000", Then = "review" },
            new() { Name = "tried", When = "amount_minor >= 1000", Then = "decline", Shadow = true },
        ],
    };

    public static readonly DecisionPolicy Policy = DecisionPolicy.Compile(Definition, Schema, ["amount_ratio", "night"], new(0.25, 0.75));

    public static readonly ScoreModel Model = new("cards \"2026\"", "3", new string('a', 64));

    public static readonly ScoreTemplate Template = new(Definition, new string('d', 64), Schema, Policy, Model);

    private readonly double[] contributions;

    public ScoreWorld(
        string transactionId = "t-1", string accountId = "a-1", string merchantId = "m-1", string? channel = null, bool? cardPresent = null,
        long amountMinor = 1250, long eventTimeMs = 1_700_000_000_123, double score = 0.5, double ratio = 3.1, double[]? contributions = null,
        int partition = 3, long offset = 42)
    {
        this.contributions = contributions ?? [1.5, -0.25];
        Score = score;
        int row = Batch.NextRow();
        Set("transaction_id", transactionId);
        Set("account_id", accountId);
        Set("merchant_id", merchantId);
        Set("currency", "EUR");
        Set("channel", channel);
        Batch.Integers(Schema.AmountMinor)[row] = amountMinor;
        Batch.Times(Schema.EventTime)[row] = eventTimeMs;
        if (cardPresent is { } present)
        {
            Batch.Booleans(Schema.ColumnIndex(Schema.IndexOf("card_present")))[row] = (sbyte)(present ? 1 : 0);
        }

        Batch.Accept(partition, offset, 0);
        Features.Set(0, 0, ratio);
        Features.Set(0, 1, double.NaN);
        Policy.Decide(Batch, Features, [score], Decisions);

        void Set(string field, string? value)
        {
            if (value is not null)
            {
                Batch.Text(Schema.ColumnIndex(Schema.IndexOf(field))).Set(row, Encoding.UTF8.GetBytes(value));
            }
        }
    }

    public TransactionBatch Batch { get; } = new(Schema, rowsMax: 1);

    public FeatureBlock Features { get; } = new(2, rowsMax: 1, keepExact: true);

    public DecisionBatch Decisions { get; } = new(rowsMax: 1);

    public double Score { get; }

    public ScoreFacts Facts(long scoredAtMs = 1_700_000_000_500, Degradation degradation = Degradation.None) => new()
    {
        Batch = Batch,
        Row = 0,
        Features = Features,
        Decisions = Decisions,
        Score = Score,
        TreesScore = Score,
        NetworkScore = double.NaN,
        Contributions = contributions,
        BaseLogOdds = -4.5,
        Degradation = degradation,
        AggregatesBehindMs = (degradation & Degradation.StaleAggregates) == Degradation.StaleAggregates ? 2_500 : 0,
        ScoredAtMs = scoredAtMs,
        ProcessingMs = 0.41234,
    };
}
