using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Scoring.EndToEnd.Tests.Verification;

/// <summary>A record that a worker has published, open to change.</summary>
internal sealed class PublishedRecord
{
    private Headers? headers;
    private byte[]? key;

    /// <summary>The partition it stands in.</summary>
    public int Partition { get; set; }

    /// <summary>Its value; null when that is no JSON (a dead letter).</summary>
    public JsonObject? Json { get; set; }

    private byte[]? Value { get; set; }

    /// <summary>Offset of the input that a score or alert answers.</summary>
    public long SourceOffset
    {
        get => (long)Json!["source"]!["offset"]!;
        set => Json!["source"]!["offset"] = value;
    }

    public string Decision => (string)Json!["decision"]!;

    /// <summary>Takes a record over, as another definition would have published it.</summary>
    public static PublishedRecord Of(ConsumeResult<byte[], byte[]> record, string digest, string newDigest)
    {
        var taken = new PublishedRecord { Partition = record.Partition.Value, key = record.Message.Key, headers = record.Message.Headers, Value = record.Message.Value };
        if (!record.Message.Headers.TryGetLastBytes("fs-error-code", out _))
        {
            taken.Json = JsonNode.Parse(Encoding.UTF8.GetString(record.Message.Value).Replace(digest, newDigest, StringComparison.Ordinal))!.AsObject();
        }

        return taken;
    }

    public PublishedRecord Copy() => new() { Partition = Partition, key = key, headers = headers, Value = Value, Json = Json?.DeepClone().AsObject() };

    public Message<byte[], byte[]> ToMessage() =>
        new() { Key = key!, Value = Json is null ? Value! : Encoding.UTF8.GetBytes(Json.ToJsonString()), Headers = headers };
}
