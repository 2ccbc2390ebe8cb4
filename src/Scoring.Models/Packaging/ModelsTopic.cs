namespace Scoring.Models.Packaging;

/// <summary>What a record of the models topic is: the key names service and channel, the value is one signed package, and none withdraws it.</summary>
/// <remarks>
/// The package travels inline (docs/decisions/0007): one signature check over one message, no second store that could be away or changed.
/// A record without a value (a tombstone) stops the offer: a worker that starts later finds none. It never unloads what scores.
/// </remarks>
public static class ModelsTopic
{
    /// <summary>Most bytes of a value, 16 MB. A larger package is not published and not taken.</summary>
    public const int ValueBytesMax = 16_000_000;

    /// <summary>The topic's <c>max.message.bytes</c>: a value of the largest size with its key and headers.</summary>
    public const int RecordBytesMax = 16 << 20;

    /// <summary>What a worker takes from the topic. The content may be four times the record: ONNX files pack well, bombs pack better.</summary>
    public static PackageLimits Limits { get; } = new() { FileBytesMax = ValueBytesMax, ContentBytesMax = 64L << 20 };

    /// <summary>The key of a channel's records.</summary>
    /// <param name="service">The service.</param>
    /// <param name="channel">The channel, <c>champion</c> where nobody says otherwise.</param>
    public static string Key(string service, string channel) => $"{service}/{channel}";
}
