namespace Scoring.Worker.Kafka;

/// <summary>Arrays of exactly the asked length, one for each length, used again and again.</summary>
/// <remarks>
/// Confluent.Kafka's <c>Produce</c> takes whole arrays and copies them before it returns: one array per length
/// serves every message of that length. Lengths above the limit are allocated each time.
/// </remarks>
internal sealed class ExactBuffers(int lengthMax)
{
    private readonly byte[]?[] byLength = new byte[lengthMax + 1][];

    /// <summary>A copy of <paramref name="bytes"/> that is good until the next call with a value of the same length.</summary>
    public byte[] Copy(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= byLength.Length)
        {
            return bytes.ToArray();
        }

        byte[] array = byLength[bytes.Length] ??= new byte[bytes.Length];
        bytes.CopyTo(array);
        return array;
    }
}
