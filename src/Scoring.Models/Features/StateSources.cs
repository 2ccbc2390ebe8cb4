using System.Text;

namespace Scoring.Models.Features;

/// <summary>The topics whose records a state is made of, and whose offsets its changelog tells.</summary>
/// <param name="Transactions">Name of the topic of transactions, at most 249 characters of <c>[a-zA-Z0-9._-]</c>, as Kafka has it.</param>
/// <param name="Labels">Name of the topic of labels; empty where no feature counts them.</param>
public readonly record struct StateSources(string Transactions, string Labels)
{
    /// <summary>Most bytes of a value: two names, and what parts them.</summary>
    internal const int BytesMax = (2 * 249) + 1;

    /// <summary>Writes both names, one per line.</summary>
    /// <returns>Bytes written.</returns>
    internal int Write(Span<byte> value)
    {
        int at = Encoding.ASCII.GetBytes(Transactions, value);
        value[at++] = (byte)'\n';
        return at + Encoding.ASCII.GetBytes(Labels, value[at..]);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is not two names.</exception>
    internal static StateSources Read(ReadOnlySpan<byte> value) => value.IndexOf((byte)'\n') is > 0 and var at
        ? new StateSources(Encoding.ASCII.GetString(value[..at]), Encoding.ASCII.GetString(value[(at + 1)..]))
        : throw new InvalidDataException($"names of topics of {value.Length} bytes");
}
