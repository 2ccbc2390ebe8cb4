using System.Globalization;
using System.Text;

namespace Scoring.Models.Events;

/// <summary>The headers that say why a record became a dead letter: ours, and the names that Kafka Connect's tools look for.</summary>
public static class DeadLetterHeaders
{
    /// <summary>The refusal's code.</summary>
    public const string Code = "fs-error-code";

    /// <summary>The field concerned, as the customer names it; empty for the whole value.</summary>
    public const string Field = "fs-error-field";

    /// <summary>What is wrong and the fix.</summary>
    public const string Hint = "fs-error-hint";

    /// <summary>How often the event was tried, from 1.</summary>
    public const string Attempt = "fs-attempt";

    /// <summary>Version of the software that refused it.</summary>
    public const string Build = "fs-build";

    /// <summary>Bytes of the original value, where the dead letter's differs from it.</summary>
    public const string OriginalSize = "fs-original-size";

    /// <summary>SHA-256 of the original value, lower-case hex, where the dead letter holds only its beginning. Never of a value with a card number: such a digest could be searched for it.</summary>
    public const string OriginalSha256 = "fs-original-sha256";

    /// <summary><c>true</c> where card numbers were masked.</summary>
    public const string Masked = "fs-masked";

    /// <summary>How many of the event's own headers were left out, because all together were too large.</summary>
    public const string HeadersTruncated = "fs-headers-truncated";

    /// <summary>Most bytes of the event's own headers, names and values together, that go with a dead letter: 256 KiB. One alone is cut at 64 KiB.</summary>
    public const int OriginalBytesMax = 256 * 1024;

    /// <summary>Every header of a dead letter in the order written, with what it holds.</summary>
    public static IReadOnlyList<(string Name, string Meaning)> All { get; } =
    [
        (Code, "Code of the rule that the event breaks, snake_case."),
        (Field, "Field concerned, as the customer names it; empty for the whole value."),
        (Hint, "What is wrong and the fix, one sentence."),
        (Attempt, "How often the event was tried, from 1."),
        (Build, "Version of the software that refused it."),
        (OriginalSize, "Bytes of the original value, where the dead letter's differs."),
        (OriginalSha256, "SHA-256 of the original value, where it was cut off."),
        (Masked, "true where card numbers were masked to their first six and last four digits."),
        (HeadersTruncated, "How many of the event's own headers were left out: all together may have 256 KiB."),
        ("__connect.errors.topic", "Topic the event came from."),
        ("__connect.errors.partition", "Its partition."),
        ("__connect.errors.offset", "Its offset."),
        ("__connect.errors.stage", "Always VALUE_CONVERTER."),
        ("__connect.errors.exception.class.name", "Always fraudscoring.Refusal."),
        ("__connect.errors.exception.message", "The hint again."),
    ];

    /// <summary>Builds the headers of one dead letter, to be written behind the original's own.</summary>
    /// <param name="refusal">Why.</param>
    /// <param name="value">The value that goes with them.</param>
    /// <param name="topic">Where the event came from.</param>
    /// <param name="partition">Its partition.</param>
    /// <param name="offset">Its offset.</param>
    /// <param name="build">Version of this software.</param>
    /// <param name="attempt">How often the event was tried, from 1.</param>
    /// <returns>Names and UTF-8 values.</returns>
    public static IReadOnlyList<KeyValuePair<string, byte[]>> For(Refusal refusal, DeadLetterValue value, string topic, int partition, long offset, string build, int attempt = 1)
    {
        string hint = RefusalTexts.Hint(refusal);
        var headers = new List<KeyValuePair<string, byte[]>>(14);
        Add(Code, RefusalTexts.Wire(refusal.Code));
        Add(Field, refusal.Field);
        Add(Hint, hint);
        Add(Attempt, attempt.ToString(CultureInfo.InvariantCulture));
        Add(Build, build);
        if (value.IsMasked || value.IsTruncated)
        {
            Add(OriginalSize, value.OriginalSize.ToString(CultureInfo.InvariantCulture));
        }

        if (value.OriginalSha256 is { } digest)
        {
            Add(OriginalSha256, digest);
        }

        if (value.IsMasked)
        {
            Add(Masked, "true");
        }

        Add("__connect.errors.topic", topic);
        Add("__connect.errors.partition", partition.ToString(CultureInfo.InvariantCulture));
        Add("__connect.errors.offset", offset.ToString(CultureInfo.InvariantCulture));
        Add("__connect.errors.stage", "VALUE_CONVERTER");
        Add("__connect.errors.exception.class.name", "fraudscoring.Refusal");
        Add("__connect.errors.exception.message", hint);
        return headers;

        void Add(string name, string text) => headers.Add(new(name, Encoding.UTF8.GetBytes(text)));
    }
}
