using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Scoring.Models.Events.Json;
using Scoring.Models.Events.Values;

namespace Scoring.Models.Events;

/// <summary>The value of a dead letter: the original bytes, without card numbers and not beyond a limit.</summary>
/// <remarks>
/// Card numbers are masked whatever the event was refused for: the decoder stops at the first fault and may not have seen them.
/// In JSON texts they are found behind escapes too; outside of texts (numbers, other encodings) as plain digits.
/// Keys and original headers that go with the dead letter need the same treatment: <see cref="Of"/> takes any bytes.
/// </remarks>
public sealed class DeadLetterValue
{
    /// <summary>Most bytes written by default: 64 KiB.</summary>
    public const int BytesMax = 64 * 1024;

    private DeadLetterValue(byte[] bytes, bool isMasked, int originalSize, string? originalSha256)
    {
        Bytes = bytes;
        IsMasked = isMasked;
        IsTruncated = originalSha256 is not null || bytes.Length < originalSize;
        OriginalSize = originalSize;
        OriginalSha256 = originalSha256;
    }

    /// <summary>What is written.</summary>
    public byte[] Bytes { get; }

    /// <summary>Whether digits of suspected card numbers were overwritten.</summary>
    public bool IsMasked { get; }

    /// <summary>Whether the end was cut off.</summary>
    public bool IsTruncated { get; }

    /// <summary>Bytes of the original.</summary>
    public int OriginalSize { get; }

    /// <summary>SHA-256 of an original that was cut off and held no card number; null otherwise.</summary>
    public string? OriginalSha256 { get; }

    /// <summary>Makes the value of a dead letter.</summary>
    /// <param name="original">The record's bytes, whatever they are.</param>
    /// <param name="bytesMax">Most bytes written.</param>
    public static DeadLetterValue Of(ReadOnlySpan<byte> original, int bytesMax = BytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytesMax);
        var output = new ArrayBufferWriter<byte>(Math.Max(original.Length, 1));
        bool isMasked = Mask(original, output);
        var bytes = isMasked ? output.WrittenSpan : original;
        bool isTruncated = bytes.Length > bytesMax;
        string? digest = isTruncated && !isMasked ? Convert.ToHexStringLower(SHA256.HashData(original)) : null;
        return new DeadLetterValue(bytes[..Math.Min(bytes.Length, bytesMax)].ToArray(), isMasked, original.Length, digest);
    }

    private static bool Mask(ReadOnlySpan<byte> original, ArrayBufferWriter<byte> output)
    {
        bool isMasked = false;
        int plainStart = 0;
        var scanner = new JsonScanner(original, 0);
        while (original[scanner.Position..].IndexOf((byte)'"') is >= 0 and var quote)
        {
            scanner.Position += quote;
            int contentStart = scanner.Position + 1;
            if (!scanner.TryString(out var raw, out bool isEscaped))
            {
                break;
            }

            if (isEscaped)
            {
                isMasked |= WriteMasked(original[plainStart..contentStart], output);
                isMasked |= WriteUnescaped(raw, output);
                plainStart = contentStart + raw.Length;
            }
        }

        return WriteMasked(original[plainStart..], output) || isMasked;
    }

    private static bool WriteMasked(ReadOnlySpan<byte> bytes, ArrayBufferWriter<byte> output)
    {
        var copy = output.GetSpan(bytes.Length)[..bytes.Length];
        bytes.CopyTo(copy);
        output.Advance(bytes.Length);
        return CardNumbers.Mask(copy) > 0;
    }

    // A text with escapes is written anew only where it must be masked.
    private static bool WriteUnescaped(ReadOnlySpan<byte> raw, ArrayBufferWriter<byte> output)
    {
        var resolved = new byte[raw.Length];
        if (!JsonEscapes.TryResolve(raw, resolved, out int length) || CardNumbers.Mask(resolved.AsSpan(0, length)) == 0 || !System.Text.Unicode.Utf8.IsValid(resolved.AsSpan(0, length)))
        {
            return WriteMasked(raw, output);
        }

        output.Write(JsonEncodedText.Encode(resolved.AsSpan(0, length)).EncodedUtf8Bytes);
        return true;
    }
}
