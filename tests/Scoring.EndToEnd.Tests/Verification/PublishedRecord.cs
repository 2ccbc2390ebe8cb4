using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Scoring.Models.Events;

namespace Scoring.EndToEnd.Tests.Verification;

/// <summary>A record that a worker has published, open to change.</summary>
internal sealed class PublishedRecord
{
    private Headers? headers;
    private byte[]? key;
    private byte[]? bytes;

    /// <summary>The partition it stands in.</summary>
    public int Partition { get; set; }

    /// <summary>Its value; null when it is neither score nor alert.</summary>
    public JsonObject? Json { get; set; }

    /// <summary>Offset of the input that a score or alert answers.</summary>
    public long SourceOffset
    {
        get => (long)Json!["source"]!["offset"]!;
        set => Json!["source"]!["offset"] = value;
    }

    public string Decision => (string)Json!["decision"]!;

    /// <summary>Offset of the input that a dead letter answers.</summary>
    public long RefusedOffset
    {
        get => Number("__connect.errors.offset");
        set => SetNumber("__connect.errors.offset", value);
    }

    /// <summary>Whether a dead letter answers a label.</summary>
    public bool IsOfLabel => Text("__connect.errors.topic").EndsWith("labels", StringComparison.Ordinal);

    /// <summary>Why a dead letter's original was refused.</summary>
    public string RefusalCode
    {
        get => Text(DeadLetterHeaders.Code);
        set => SetText(DeadLetterHeaders.Code, value);
    }

    /// <summary>Partition of the input that a dead letter answers.</summary>
    public long RefusedPartition
    {
        get => Number("__connect.errors.partition");
        set => SetNumber("__connect.errors.partition", value);
    }

    /// <summary>Takes a record over, as another definition would have published it.</summary>
    public static PublishedRecord Of(ConsumeResult<byte[], byte[]> record, string digest, string newDigest)
    {
        var taken = new PublishedRecord { Partition = record.Partition.Value, key = record.Message.Key, headers = record.Message.Headers, bytes = record.Message.Value };
        if (record.Message.Headers.TryGetLastBytes("ce_id", out _))
        {
            taken.Json = JsonNode.Parse(Encoding.UTF8.GetString(record.Message.Value).Replace(digest, newDigest, StringComparison.Ordinal))!.AsObject();
        }

        return taken;
    }

    /// <summary>Its key, for comparison.</summary>
    public string Key => Convert.ToHexString(key ?? []);

    /// <summary>Whether it is what a partition contributes to a pane, not how far it is.</summary>
    public bool IsContribution => key is { Length: > 20 } && bytes is { Length: >= 8 };

    /// <summary>Counts events to a contribution that it was not given.</summary>
    public void AddToContribution(long events)
    {
        byte[] changed = [.. bytes!];
        BinaryPrimitives.WriteInt64LittleEndian(changed, BinaryPrimitives.ReadInt64LittleEndian(changed) + events);
        bytes = changed;
    }

    public PublishedRecord Copy() => new() { Partition = Partition, key = key, headers = headers, bytes = bytes, Json = Json?.DeepClone().AsObject() };

    public Message<byte[], byte[]> ToMessage() =>
        new() { Key = key!, Value = Json is null ? bytes! : Encoding.UTF8.GetBytes(Json.ToJsonString()), Headers = headers };

    private string Text(string header) => Encoding.UTF8.GetString(headers!.GetLastBytes(header));

    private long Number(string header) => long.Parse(Text(header), CultureInfo.InvariantCulture);

    private void SetNumber(string name, long value) => SetText(name, value.ToString(CultureInfo.InvariantCulture));

    private void SetText(string name, string value)
    {
        var changed = new Headers();
        foreach (var header in headers!)
        {
            changed.Add(header.Key, header.Key == name ? Encoding.UTF8.GetBytes(value) : header.GetValueBytes());
        }

        headers = changed;
    }
}
