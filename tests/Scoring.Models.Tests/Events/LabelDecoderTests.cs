using System.Text;
using Scoring.Models.Events;

namespace Scoring.Models.Tests.Events;

public sealed class LabelDecoderTests
{
    private const string Identity = "\"label_id\":\"l-1\",\"transaction_id\":\"t-1\",\"account_id\":\"a-1\"";

    [Theory]
    [InlineData("\"is_fraud\":true", 1)]
    [InlineData("\"is_fraud\":false", 0)]
    [InlineData("\"is_fraud\":null", -1)]
    [InlineData("\"is_fraud\":null,\"reason_code\":\"10.4\"", -1)]
    [InlineData("\"is_fraud\":false,\"reason_code\":\"10.4\"", 0)]
    [InlineData("\"network\":\"visa\",\"reason_code\":\"10.1\"", 1)]
    [InlineData("\"reason_code\":\"10.5\",\"network\":\"Visa\"", 1)]
    [InlineData("\"network\":\"visa\",\"reason_code\":\"10.6\"", -1)]
    [InlineData("\"network\":\"visa\",\"reason_code\":\"13.1\"", -1)]
    [InlineData("\"network\":\"mastercard\",\"reason_code\":\"4837\"", 1)]
    [InlineData("\"network\":\"mastercard\",\"reason_code\":\"4871\"", 1)]
    [InlineData("\"network\":\"mastercard\",\"reason_code\":\"4853\"", -1)]
    [InlineData("\"network\":\"other\",\"reason_code\":\"4837\"", -1)]
    [InlineData("\"disposition\":\"confirmed_fraud\"", 1)]
    [InlineData("\"disposition\":\"false_positive\"", 0)]
    [InlineData("\"disposition\":\"inconclusive\"", -1)]
    [InlineData("\"comment\":\"nothing\"", -1)]
    public void Fraud_is_what_the_label_the_network_or_the_analyst_says(string members, int isFraud)
    {
        var (refusal, batch) = Decode($"{{{Identity},{members}}}");
        Assert.Equal(Refusal.None, refusal);
        Assert.Equal(isFraud, batch.IsFraud[0]);
    }

    [Fact]
    public void Facts_and_times_are_taken()
    {
        var (refusal, batch) = Decode($$"""{{{Identity}},"source":"customer_claim","merchant_id":"m-9","terminal_id":"x","transaction_time":"2025-11-01T00:00:00Z","reported_at":"2025-11-02T00:00:00Z"}""");
        Assert.Equal(Refusal.None, refusal);
        Assert.Equal(LabelSource.CustomerClaim, batch.Sources[0]);
        Assert.Equal("m-9", Encoding.UTF8.GetString(batch.Facts.MerchantIds[0]));
        Assert.Equal("a-1", Encoding.UTF8.GetString(batch.Facts.AccountIds[0]));
        Assert.Equal("t-1", Encoding.UTF8.GetString(batch.TransactionIds[0]));
        Assert.Equal(1_761_955_200_000, batch.Facts.EventTimesMs[0]);
        Assert.Equal(1_762_041_600_000, batch.ReportedAtMs[0]);
        Assert.Equal(long.MinValue, batch.OccurredAtMs[0]);
        Assert.Equal((1, 2, 3L), (batch.RowCount, batch.Partitions[0], batch.Offsets[0]));
    }

    [Theory]
    [InlineData("{}", RefusalCode.MissingField, "label_id")]
    [InlineData("{\"label_id\":\"l\",\"transaction_id\":\"t\"}", RefusalCode.MissingField, "account_id")]
    [InlineData("{ID,\"is_fraud\":1}", RefusalCode.WrongType, "is_fraud")]
    [InlineData("{ID,\"is_fraud\":\"true\"}", RefusalCode.WrongType, "is_fraud")]
    [InlineData("{ID,\"source\":\"rumour\"}", RefusalCode.BadFormat, "source")]
    [InlineData("{ID,\"comment\":\"card 4111 1111 1111 1111\"}", RefusalCode.PanSuspected, "")]
    [InlineData("{ID,\"merchant_id\":4111111111111111}", RefusalCode.PanSuspected, "merchant_id")]
    [InlineData("{ID,\"transaction_time\":\"2999-01-01T00:00:00Z\"}", RefusalCode.FutureTime, "transaction_time")]
    [InlineData("{ID,\"transaction_time\":\"1970-01-01T00:00:00Z\"}", RefusalCode.AncientTime, "transaction_time")]
    [InlineData("{ID,\"label_id\":\"l-2\"}", RefusalCode.DuplicateMember, "label_id")]
    [InlineData("{ID", RefusalCode.MalformedJson, "")]
    [InlineData("", RefusalCode.Empty, "")]
    public void Bad_labels_are_refused(string json, RefusalCode code, string field)
    {
        var (refusal, _) = Decode(json.Replace("ID", Identity, StringComparison.Ordinal));
        Assert.Equal((code, field), (refusal.Code, refusal.Field));
    }

    private static (Refusal Refusal, LabelBatch Batch) Decode(string json)
    {
        var definition = EventDecoderTests.Definition();
        var schema = EventSchema.From(definition);
        var batch = new LabelBatch(schema, 1);
        var refusal = new LabelDecoder(definition, schema).Decode(Encoding.UTF8.GetBytes(json), isNull: false, new EventHeaders(), EventDecoderTests.NowMs, batch);
        if (refusal.IsNone)
        {
            batch.Accept(2, 3, 0);
        }

        return (refusal, batch);
    }
}
