using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Events.Files;

namespace Scoring.Models.Tests.Events;

/// <summary>Paths, constants, units, envelopes: how a customer's own event becomes ours.</summary>
public sealed class MappingTests
{
    private const string Mapped = """
        {"fields":{"transaction_id":{"path":"id","allow_integer":true},"event_time":{"path":"data.at","unit":"UNIT"},"amount_minor":{"path":"data.money.sum","unit":"MONEY"},
         "currency":{"path":"data.money.currency"},"account_id":{"path":"who","allow_integer":true},"merchant_id":{"path":"who","allow_integer":true}},
         "attributes":{"loyalty":{"type":"text","path":"data.loyalty","token":true}}}
        """;

    [Theory]
    [InlineData("major", "12.5", "EUR", 1250)]
    [InlineData("major", "12.50000", "EUR", 1250)]
    [InlineData("major", "1250", "JPY", 1250)]
    [InlineData("major", "1.25e3", "JPY", 1250)]
    [InlineData("major", "0.001", "KWD", 1)]
    [InlineData("major", "0", "EUR", 0)]
    [InlineData("major", "-0.0", "EUR", 0)]
    [InlineData("major", "92233720368547758.07", "EUR", long.MaxValue)]
    [InlineData("micros", "12500000", "usd", 1250)]
    [InlineData("micros", "5000000", "392", 5)]
    [InlineData("minor", "1250", "978", 1250)]
    public void Money_is_exact(string unit, string amount, string currency, long amountMinor)
    {
        var (refusal, batch) = Decode(unit, "milliseconds", $$$"""{"id":7,"who":5,"data":{"at":1700000000000,"money":{"sum":{{{amount}}},"currency":"{{{currency}}}" } } }""");
        Assert.Equal(Refusal.None, refusal);
        Assert.Equal(amountMinor, batch.AmountsMinor[0]);
        Assert.Equal("7", Encoding.UTF8.GetString(batch.TransactionIds[0]));
        Assert.Equal("5", Encoding.UTF8.GetString(batch.MerchantIds[0]));
    }

    [Theory]
    [InlineData("major", "12.505", "EUR", RefusalCode.BadFormat)]
    [InlineData("major", "0.5", "JPY", RefusalCode.BadFormat)]
    [InlineData("major", "92233720368547758.08", "EUR", RefusalCode.NumberOutOfRange)]
    [InlineData("major", "1e400", "EUR", RefusalCode.NumberOutOfRange)]
    [InlineData("major", "1e-400", "EUR", RefusalCode.BadFormat)]
    [InlineData("major", "-0.01", "EUR", RefusalCode.NegativeAmount)]
    [InlineData("major", "\"1\"", "EUR", RefusalCode.WrongType)]
    [InlineData("micros", "1", "EUR", RefusalCode.BadFormat)]
    public void Money_that_would_lose_something_is_refused(string unit, string amount, string currency, RefusalCode code)
    {
        var (refusal, _) = Decode(unit, "milliseconds", $$$"""{"id":7,"who":5,"data":{"money":{"sum":{{{amount}}},"currency":"{{{currency}}}"},"at":1700000000000}}""");
        Assert.Equal((code, "data.money.sum"), (refusal.Code, refusal.Field));
    }

    [Theory]
    [InlineData("85.64999999999999", 8565)]
    [InlineData("141.64999999999998", 14165)]
    [InlineData("0.005", 1)]
    [InlineData("0.00499999", 0)]
    [InlineData("7", 700)]
    public void Money_is_rounded_where_the_mapping_says_so(string amount, long amountMinor)
    {
        var decoder = new EventDecoder(EventDecoderTests.Definition(Mapped.Replace("\"MONEY\"", "\"major\",\"round\":true", StringComparison.Ordinal).Replace("UNIT", "seconds", StringComparison.Ordinal)));
        var (refusal, batch) = Decode(decoder, new EventHeaders(), Encoding.UTF8.GetBytes($$$"""{"id":7,"who":5,"data":{"at":1700000000,"money":{"sum":{{{amount}}},"currency":"EUR"} } }"""));
        Assert.Equal(Refusal.None, refusal);
        Assert.Equal(amountMinor, batch.AmountsMinor[0]);
    }

    [Theory]
    [InlineData("seconds", "1700000000", 1_700_000_000_000)]
    [InlineData("seconds", "1700000000.1239", 1_700_000_000_123)]
    [InlineData("milliseconds", "1700000000123", 1_700_000_000_123)]
    [InlineData("microseconds", "1700000000123999", 1_700_000_000_123)]
    [InlineData("rfc3339", "\"2023-11-14T22:13:20.1239999Z\"", 1_700_000_000_123)]
    [InlineData("rfc3339", "\"2023-11-15t00:13:20.1+02:00\"", 1_700_000_000_100)]
    public void Times_are_cut_to_the_millisecond(string unit, string time, long timeMs)
    {
        var (refusal, batch) = Decode("minor", unit, $$$"""{"id":7,"who":5,"data":{"at":{{{time}}},"money":{"sum":1,"currency":"EUR"},"loyalty":"4111111111111111"}}""");
        Assert.Equal(Refusal.None, refusal);
        Assert.Equal(timeMs, batch.EventTimesMs[0]);
    }

    [Theory]
    [InlineData("""{"id":7,"who":4111111111111111}""", RefusalCode.PanSuspected, "who")]
    [InlineData("""{"id":7,"data":{"money":5}}""", RefusalCode.WrongType, "data.money")]
    [InlineData("""{"id":7,"data":{"at":1,"at":2}}""", RefusalCode.DuplicateMember, "data.at")]
    [InlineData("""{"id":7,"data":{"x":1,"\u0078":2}}""", RefusalCode.DuplicateMember, "x")]
    [InlineData("""{"id":7.5}""", RefusalCode.WrongType, "id")]
    [InlineData("""{"data":{"at":1e300}}""", RefusalCode.NumberOutOfRange, "data.at")]
    public void Nested_faults_name_the_customers_path(string json, RefusalCode code, string field)
    {
        var (refusal, _) = Decode("minor", "milliseconds", json);
        Assert.Equal((code, field), (refusal.Code, refusal.Field));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/vnd.shop+json; charset=utf-8")]
    [InlineData("application/octet-stream")]
    public void Binary_cloud_events_are_taken(string contentType)
    {
        var headers = new EventHeaders();
        foreach (var (name, value) in new[] { ("Content-Type", contentType), ("ce_specversion", "1.0"), ("ce_id", "1"), ("ce_source", "/s"), ("ce_type", "t"), ("ce_time", "x") })
        {
            headers.Add(name, Encoding.UTF8.GetBytes(value));
        }

        Assert.Equal(Refusal.None, DecodeGood(headers, BadEvents.Good).Refusal);
    }

    [Fact]
    public void Structured_cloud_events_are_taken_in_any_order()
    {
        var headers = new EventHeaders();
        headers.Add("content-type", "Application/CloudEvents+json"u8);
        var value = Encoding.UTF8.GetBytes($$"""{"data":{{BadEvents.With()}},"type":"t","source":"/s","id":"1","specversion":"1.0","datacontenttype":"application/json","traceparent":"x"}""");
        var (refusal, batch) = DecodeGood(headers, value);
        Assert.Equal(Refusal.None, refusal);
        Assert.Equal(1250, batch.Integers(0)[0]);
    }

    [Fact]
    public void A_schema_id_before_JSON_is_passed_over() =>
        Assert.Equal(Refusal.None, DecodeGood(new EventHeaders(), [0, 0, 0, 0, 9, .. BadEvents.Good]).Refusal);

    [Fact]
    public void Keys_longer_than_the_definition_allows_are_refused()
    {
        var definition = ServiceDefinitionReader.Read("""{"service":"t","events":{},"entities":{"pair":{"key":["account_id","merchant_id"],"key_bytes_max":8}}}"""u8).Definition!;
        var decoder = new EventDecoder(definition);
        var refusal = decoder.Decode(Encoding.UTF8.GetBytes(BadEvents.With("merchant_id", "\"m-12345\"")), false, new EventHeaders(), EventDecoderTests.NowMs, new TransactionBatch(decoder.Schema, 1));
        Assert.Equal((RefusalCode.KeyTooLong, "merchant_id"), (refusal.Code, refusal.Field));
    }

    [Fact]
    public void Nothing_is_allocated_for_an_event()
    {
        var decoder = new EventDecoder(EventDecoderTests.Definition());
        var batch = new TransactionBatch(decoder.Schema, 1);
        var headers = new EventHeaders();
        var value = Encoding.UTF8.GetBytes(BadEvents.With("note", "\"esc\\u0061ped, and 1234567890123 digits\""));
        long before = 0;
        for (int i = 0; i < 2_000; i++)
        {
            if (i == 1_000)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            batch.Clear();
            headers.Clear();
            headers.Add("content-type", "application/json"u8);
            decoder.Decode(value, isNull: false, headers, EventDecoderTests.NowMs, batch);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Recorded_transactions_decode_and_give_their_outcome()
    {
        var definition = ServiceDefinitionReader.ReadFile(RepositoryFiles.Definition("handbook.json")).Definition!;
        using var file = EventFile.Open(RepositoryFiles.Shared("data/handbook/transactions.csv.gz"));
        var decoder = new EventDecoder(definition);
        var outcomes = new OutcomeReader(definition.Labels);
        var batch = new TransactionBatch(decoder.Schema, 1);
        int rows = 0;
        int frauds = 0;
        long cents = 0;
        while (rows < 100_000 && file.Read())
        {
            batch.Clear();
            Assert.Equal(Refusal.None, decoder.Decode(file.Json.Span, false, new EventHeaders(), EventDecoderTests.NowMs, batch));
            batch.Accept(0, rows, 0);
            rows++;
            frauds += outcomes.Read(file.Json.Span);
            cents += batch.AmountsMinor[0];
            Assert.Equal(rows + 1, file.LineNumber);
            if (rows == 1)
            {
                Assert.Equal("3156", Encoding.UTF8.GetString(batch.MerchantIds[0]));
                Assert.Equal(5716, batch.AmountsMinor[0]);
                Assert.Equal(new DateTimeOffset(2018, 4, 1, 0, 0, 31, TimeSpan.Zero).ToUnixTimeMilliseconds(), batch.EventTimesMs[0]);
            }
        }

        Assert.InRange(frauds, 1, rows / 50);
        Assert.InRange(cents, rows * 4_000L, rows * 7_000L);
    }

    private static (Refusal Refusal, TransactionBatch Batch) Decode(string moneyUnit, string timeUnit, string json)
    {
        var decoder = new EventDecoder(EventDecoderTests.Definition(Mapped.Replace("MONEY", moneyUnit, StringComparison.Ordinal).Replace("UNIT", timeUnit, StringComparison.Ordinal)));
        return Decode(decoder, new EventHeaders(), Encoding.UTF8.GetBytes(json));
    }

    private static (Refusal Refusal, TransactionBatch Batch) DecodeGood(EventHeaders headers, byte[] value) =>
        Decode(new EventDecoder(EventDecoderTests.Definition()), headers, value);

    private static (Refusal Refusal, TransactionBatch Batch) Decode(EventDecoder decoder, EventHeaders headers, byte[] value)
    {
        var batch = new TransactionBatch(decoder.Schema, 1);
        var refusal = decoder.Decode(value, isNull: false, headers, EventDecoderTests.NowMs, batch);
        if (refusal.IsNone)
        {
            batch.Accept(0, 0, 0);
        }

        return (refusal, batch);
    }
}
