using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;

namespace Scoring.Models.Tests.Events;

public sealed class EventDecoderTests
{
    internal const long NowMs = 1_764_000_000_000; // 2025-11-24T16:00:00Z

    internal static ServiceDefinition Definition(string events = "{}")
    {
        var reading = ServiceDefinitionReader.Read(Encoding.UTF8.GetBytes($$"""{"service":"test","events":{{events}}}"""));
        Assert.Empty(reading.Faults);
        return reading.Definition!;
    }

    [Fact]
    public void Takes_a_bare_event_of_our_contract()
    {
        var decoder = new EventDecoder(Definition());
        var batch = new TransactionBatch(decoder.Schema, 4);
        var refusal = decoder.Decode(
            """
            {"transaction_id":"t-1","event_time":"2025-11-24T15:59:59.250+01:00","amount_minor":1250,"currency":"eur","account_id":"a\u002d1",
             "merchant_id":"m-1","merchant_country":"DEU","card_present":false,"latitude":52.5,"metadata":{"deep":[1,{"x":"y"}]}}
            """u8,
            isNull: false,
            new EventHeaders(),
            NowMs,
            batch);

        Assert.Equal(Refusal.None, refusal);
        batch.Accept(3, 17, 5);
        Assert.Equal("t-1", Encoding.UTF8.GetString(batch.TransactionIds[0]));
        Assert.Equal("a-1", Encoding.UTF8.GetString(batch.AccountIds[0]));
        Assert.Equal("EUR", Encoding.UTF8.GetString(batch.Currencies[0]));
        Assert.Equal(1250, batch.AmountsMinor[0]);
        Assert.Equal(DateTimeOffset.Parse("2025-11-24T14:59:59.250Z", System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds(), batch.EventTimesMs[0]);
        Assert.Equal("DE", Encoding.UTF8.GetString(batch.Text(Column("merchant_country"))[0]));
        Assert.Equal(0, batch.Booleans(Column("card_present"))[0]);
        Assert.Equal(52.5, batch.Numbers(Column("latitude"))[0]);
        Assert.True(double.IsNaN(batch.Numbers(Column("longitude"))[0]));
        Assert.Equal(1, decoder.UnknownMembers);

        int Column(string name) => decoder.Schema.ColumnIndex(decoder.Schema.IndexOf(name));
    }
}
