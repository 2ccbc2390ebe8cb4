using System.Buffers.Binary;
using System.IO.Hashing;
using Scoring.Models.Features;

namespace Scoring.Worker.Checkpoints;

/// <summary>Reads a checkpoint: its header first, then its records into a state.</summary>
internal sealed class CheckpointReader : IDisposable
{
    private readonly FileStream file;
    private byte[] block = [];

    private CheckpointReader(FileStream file) => this.file = file;

    /// <summary>What the file is of.</summary>
    public CheckpointHeader Header { get; private set; } = null!;

    /// <summary>Opens a file.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="InvalidDataException">It is no checkpoint.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static CheckpointReader? Open(string path)
    {
        FileStream opened;
        try
        {
            opened = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        var reader = new CheckpointReader(opened);
        try
        {
            reader.Header = CheckpointHeader.Of(reader.NextBlock()) ?? throw new InvalidDataException("its first block is no header");
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Gives all records to a loader. When this fails the state is of nothing.</summary>
    /// <param name="loader">Takes them.</param>
    /// <param name="isGivenUp">Ends it early, after a block.</param>
    /// <exception cref="InvalidDataException">A block is damaged, the end is missing, or a record is none.</exception>
    /// <exception cref="OperationCanceledException">It was ended early.</exception>
    public void LoadInto(StateLoader loader, Func<bool> isGivenUp)
    {
        for (var left = NextBlock(); !left.IsEmpty; left = NextBlock())
        {
            if (isGivenUp())
            {
                throw new OperationCanceledException("nobody wants it any more");
            }

            while (!left.IsEmpty)
            {
                int keyBytes = left.Length < CheckpointWriter.RecordPrefixBytes ? int.MaxValue : BinaryPrimitives.ReadUInt16LittleEndian(left);
                int valueBytes = left.Length < CheckpointWriter.RecordPrefixBytes ? 0 : BinaryPrimitives.ReadInt32LittleEndian(left[2..]);
                if (valueBytes < 0 || (long)keyBytes + valueBytes > left.Length - CheckpointWriter.RecordPrefixBytes)
                {
                    throw new InvalidDataException("a record goes beyond its block");
                }

                left = left[CheckpointWriter.RecordPrefixBytes..];
                loader.Take(left[..keyBytes], left.Slice(keyBytes, valueBytes));
                left = left[(keyBytes + valueBytes)..];
            }
        }

        if (file.ReadByte() >= 0)
        {
            throw new InvalidDataException("something stands behind its end");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private ReadOnlySpan<byte> NextBlock()
    {
        Span<byte> prefix = stackalloc byte[CheckpointWriter.BlockPrefixBytes];
        if (file.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) < prefix.Length)
        {
            throw new InvalidDataException("it is cut off");
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (length is < 0 or > CheckpointWriter.BlockBytesMax || length > file.Length - file.Position)
        {
            throw new InvalidDataException(FormattableString.Invariant($"a block of {length} bytes"));
        }

        if (block.Length < length)
        {
            block = new byte[length];
        }

        file.ReadExactly(block.AsSpan(0, length));
        return XxHash3.HashToUInt64(block.AsSpan(0, length)) == BinaryPrimitives.ReadUInt64LittleEndian(prefix[4..])
            ? block.AsSpan(0, length)
            : throw new InvalidDataException(FormattableString.Invariant($"the block that ends at byte {file.Position} is damaged"));
    }
}
