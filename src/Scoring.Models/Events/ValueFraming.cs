using System.Text.Unicode;
using Scoring.Models.Events.Json;

namespace Scoring.Models.Events;

/// <summary>What is checked on every record's value before its JSON is read.</summary>
internal static class ValueFraming
{
    // Schema Registry: magic 0, then a schema's id of four bytes.
    private const int FrameLength = 5;

    /// <summary>Checks presence, size, headers, framing and encoding; <paramref name="start"/> is where the JSON begins.</summary>
    public static Refusal Check(ReadOnlySpan<byte> value, bool isNull, EventHeaders headers, int valueBytesMax, out int start)
    {
        start = 0;
        if (isNull)
        {
            return new Refusal(RefusalCode.Tombstone, "", 0);
        }

        if (value.IsEmpty)
        {
            return new Refusal(RefusalCode.Empty, "", 0);
        }

        if (value.Length > valueBytesMax)
        {
            return new Refusal(RefusalCode.TooLarge, "", 0);
        }

        var refusal = headers.Check();
        if (!refusal.IsNone)
        {
            return refusal;
        }

        if (value[0] <= 1)
        {
            // Behind the frame stands JSON, or Avro or Protobuf, which cannot begin with a brace here by accident and still parse.
            var scanner = new JsonScanner(value, FrameLength);
            if (value[0] == 1 || value.Length <= FrameLength || scanner.Peek() != '{')
            {
                return new Refusal(RefusalCode.UnsupportedEncoding, "", 0);
            }

            start = FrameLength;
        }

        return Utf8.IsValid(value[start..]) ? Refusal.None : new Refusal(RefusalCode.InvalidUtf8, "", FirstInvalid(value, start));
    }

    private static int FirstInvalid(ReadOnlySpan<byte> value, int start)
    {
        int at = start;
        while (System.Text.Rune.DecodeFromUtf8(value[at..], out _, out int length) == System.Buffers.OperationStatus.Done)
        {
            at += length;
        }

        return at;
    }
}
