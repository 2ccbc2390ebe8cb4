using Confluent.Kafka;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>Labels of one partition in offset order, as bytes: each is decoded when it is told.</summary>
internal sealed class LabelQueue
{
    private readonly Queue<(long ReportedAtMs, byte[] Value, Headers? Headers)> records = new();
    private readonly LabelDecoder decoder;
    private readonly EventHeaders headers = new();
    private readonly LabelBatch batch;

    /// <summary>Starts empty.</summary>
    public LabelQueue(ServiceDefinition definition, EventSchema schema)
    {
        decoder = new LabelDecoder(definition, schema);
        batch = new LabelBatch(schema, rowsMax: 1);
    }

    /// <summary>Labels that wait.</summary>
    public int Count => records.Count;

    /// <summary>When the first was reported, ms since 1970 UTC; <see cref="long.MinValue"/> where it does not say.</summary>
    public long HeadReportedAtMs => records.Peek().ReportedAtMs;

    /// <summary>Takes a record of the labels topic; one that breaks a rule is passed over, as the worker does. Whether one was in the future only the worker knows: its dead letter tells.</summary>
    public void Add(byte[]? value, Headers? recordHeaders)
    {
        if (Decode(value, recordHeaders) is { } label)
        {
            records.Enqueue((label.ReportedAtMs[0], value!, recordHeaders is { Count: > 0 } ? recordHeaders : null));
        }
    }

    /// <summary>Takes the first label out, decoded; good until the next.</summary>
    public LabelBatch Take()
    {
        var (_, value, recordHeaders) = records.Dequeue();
        return Decode(value, recordHeaders)!;
    }

    private LabelBatch? Decode(byte[]? value, Headers? recordHeaders)
    {
        batch.Clear();
        RecordHeaders.Read(recordHeaders, headers);
        if (!decoder.Decode(value, value is null, headers, long.MaxValue, batch).IsNone)
        {
            return null;
        }

        batch.Accept(0, 0, appendTimeMs: 0);
        return batch;
    }
}
