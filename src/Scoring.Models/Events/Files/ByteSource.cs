namespace Scoring.Models.Events.Files;

/// <summary>A stream's bytes in a window that grows until a record fits.</summary>
internal sealed class ByteSource(Stream stream) : IDisposable
{
    private const int WindowMax = 64 * 1024 * 1024;

    private byte[] window = new byte[256 * 1024];
    private int start;
    private int end;
    private bool isAtEnd;

    /// <summary>The bytes that are there and not yet taken.</summary>
    public ReadOnlySpan<byte> Span => window.AsSpan(start, end - start);

    public ReadOnlyMemory<byte> Memory(int offset, int length) => window.AsMemory(start + offset, length);

    /// <summary>Lets go of the first bytes. Memory handed out stays valid until <see cref="More"/>.</summary>
    public void Take(int length) => start += length;

    /// <summary>Reads further bytes behind those that are there.</summary>
    /// <returns>False when there are none.</returns>
    /// <exception cref="InvalidDataException">The window is at its limit.</exception>
    public bool More()
    {
        if (isAtEnd)
        {
            return false;
        }

        if (start > 0)
        {
            Span.CopyTo(window);
            (start, end) = (0, end - start);
        }

        if (end == window.Length)
        {
            if (window.Length >= WindowMax)
            {
                throw new InvalidDataException("a record is larger than 64 MiB");
            }

            Array.Resize(ref window, window.Length * 2);
        }

        int read = stream.Read(window, end, window.Length - end);
        end += read;
        isAtEnd = read == 0;
        return read > 0;
    }

    public void Dispose() => stream.Dispose();
}
