using System.Text.Json;
using Scoring.Benchmarks.Inputs;
using Scoring.Benchmarks.Measuring;
using Scoring.Models.Events;

namespace Scoring.Benchmarks.Decode;

/// <summary>Our decoder, which checks everything and fills columns, against <see cref="Utf8JsonReader"/> merely finding the tokens of the same bytes.</summary>
internal sealed class DecodeRatios
{
    private const int EventCount = 8_192;
    private const int BatchRows = 256;

    private readonly byte[][] events = new byte[EventCount][];
    private readonly EventDecoder decoder = new(Definitions.CardPayments());
    private readonly EventHeaders headers = new();
    private readonly TransactionBatch batch;

    private DecodeRatios()
    {
        batch = new TransactionBatch(decoder.Schema, BatchRows);
        var stream = new PaymentEvents(seed: 1, accounts: 1_000_000, merchants: 20_000);
        for (int i = 0; i < events.Length; i++)
        {
            events[i] = stream.Next();
        }
    }

    /// <summary>Runs the contest.</summary>
    public static IEnumerable<Ratio> Run(Pace pace)
    {
        var inputs = new DecodeRatios();
        double bytes = inputs.events.Average(value => value.Length);
        yield return Contest.Run(
            FormattableString.Invariant($"decode, {bytes:0} B"),
            new Side("EventDecoder", inputs.Decode),
            new Side("Utf8JsonReader, tokens only", inputs.ReadTokens),
            RatioOf.Time,
            "<= 1.45, 0 B",
            pace);
    }

    private int Decode()
    {
        foreach (byte[] value in events)
        {
            if (batch.IsFull)
            {
                batch.Clear();
            }

            var refusal = decoder.Decode(value, isNull: false, headers, PaymentEvents.StartMs + 86_400_000, batch);
            if (!refusal.IsNone)
            {
                throw new InvalidOperationException(refusal.ToString());
            }

            batch.Accept(0, 0, 0);
        }

        return events.Length;
    }

    private int ReadTokens()
    {
        int tokens = 0;
        foreach (byte[] value in events)
        {
            var reader = new Utf8JsonReader(value);
            while (reader.Read())
            {
                tokens++;
            }
        }

        return tokens == EventCount * 30 ? EventCount : throw new InvalidOperationException("14 names, 14 values and two braces are due");
    }
}
