using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>Decodes a transaction into the next row of the lane's batch, straight from the client's memory.</summary>
/// <param name="decoder">Decodes.</param>
/// <param name="batch">Where.</param>
/// <param name="value">Receives the bytes of what is refused.</param>
internal sealed class TransactionDeserializer(EventDecoder decoder, TransactionBatch batch, RecordBuffer value) : IDeserializer<Refusal>
{
    private readonly EventHeaders headers = new();

    /// <summary>The cycle's wall clock, ms since 1970 UTC: what is in the future and what is not.</summary>
    public long NowMs { get; set; }

    /// <summary>Whether it receives all: a good event may be refused later.</summary>
    public bool KeepsAll { get; set; }

    /// <summary>Members of events decoded so far that the definition does not name.</summary>
    public long UnknownMembers => decoder.UnknownMembers;

    /// <inheritdoc/>
    public Refusal Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context)
    {
        RecordHeaders.Read(context.Headers, headers);
        var refusal = decoder.Decode(data, isNull, headers, NowMs, batch);
        if (KeepsAll || !refusal.IsNone)
        {
            value.Keep(data, isNull); // A dead letter carries the original bytes.
        }

        return refusal;
    }
}
