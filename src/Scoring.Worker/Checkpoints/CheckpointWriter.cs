using System.Buffers.Binary;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Scoring.Worker.Checkpoints;

/// <summary>Writes a checkpoint beside where it will be, and puts it there when it is whole.</summary>
/// <remarks>
/// <code>
/// file    blocks, the last of them empty
/// block   length of its bytes (4), XxHash3 of them (8), the bytes
/// bytes   of the first block: <see cref="CheckpointHeader"/>
///         of the others: records one after the other: length of the key (2), of the value (4), key, value
/// </code>
/// All little endian. Records are gathered by one thread and written by another, one after the other: never both at once.
/// </remarks>
internal sealed class CheckpointWriter : IDisposable
{
    /// <summary>How the name of a file ends that is not whole.</summary>
    public const string Unfinished = ".unfinished";

    /// <summary>Bytes before those of a block.</summary>
    public const int BlockPrefixBytes = 12;

    /// <summary>Bytes before those of a record.</summary>
    public const int RecordPrefixBytes = 6;

    /// <summary>Most bytes of a block.</summary>
    public const int BlockBytesMax = 64 * 1024 * 1024;

    private readonly string path;
    private readonly string temporary;
    private readonly SafeFileHandle file;
    private byte[] block = new byte[256 * 1024];
    private int length = BlockPrefixBytes;
    private long position;
    private bool isWhole;

    /// <summary>Begins a file, readable by its owner alone.</summary>
    /// <param name="path">Where it will be.</param>
    /// <param name="header">What it is of.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public CheckpointWriter(string path, CheckpointHeader header)
    {
        this.path = path;
        temporary = FormattableString.Invariant($"{path}.{Path.GetRandomFileName()}{Unfinished}"); // Workers of one service may share a folder.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (new FileStream(temporary, options))
        {
            // Made with these rights; FileStream would buffer and allocate for each block.
        }

        file = File.OpenHandle(temporary, FileMode.Open, FileAccess.Write, FileShare.Read | FileShare.Delete);
        try
        {
            Append(header.ToBytes());
            WriteBlock();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Records taken.</summary>
    public long Records { get; private set; }

    /// <summary>Takes a record into the block at hand.</summary>
    /// <exception cref="IOException">The block is too large to be read again.</exception>
    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Span<byte> lengths = stackalloc byte[RecordPrefixBytes];
        BinaryPrimitives.WriteUInt16LittleEndian(lengths, checked((ushort)key.Length));
        BinaryPrimitives.WriteInt32LittleEndian(lengths[2..], value.Length);
        Append(lengths);
        Append(key);
        Append(value);
        Records++;
    }

    /// <summary>Whether the block at hand is large enough to be written.</summary>
    public bool HasFullBlock => length >= 1024 * 1024;

    /// <summary>Writes the block at hand.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void WriteBlock()
    {
        if (length == BlockPrefixBytes)
        {
            return;
        }

        Flush();
    }

    /// <summary>Writes what is left and puts the file in its place: a reader finds the earlier one, or this one whole.</summary>
    /// <remarks>The disk is not waited for: of a machine that loses its power a file may come back damaged, which is found, and costs what having none costs. A flush of many megabytes would be felt by all who share the disk.</remarks>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Complete()
    {
        WriteBlock();
        Flush(); // An empty block: nothing was cut off.
        file.Dispose();
        File.Move(temporary, path, overwrite: true);
        isWhole = true;
    }

    /// <summary>Removes what was not completed.</summary>
    public void Dispose()
    {
        file.Dispose();
        if (isWhole)
        {
            return;
        }

        try
        {
            File.Delete(temporary);
        }
        catch (Exception left) when (left is IOException or UnauthorizedAccessException)
        {
            // Left to the next start (CheckpointFolder).
        }
    }

    private void Flush()
    {
        var bytes = block.AsSpan(BlockPrefixBytes, length - BlockPrefixBytes);
        BinaryPrimitives.WriteInt32LittleEndian(block, bytes.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(block.AsSpan(4), XxHash3.HashToUInt64(bytes));
        RandomAccess.Write(file, block.AsSpan(0, length), position);
        position += length;
        length = BlockPrefixBytes;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (length + bytes.Length > BlockPrefixBytes + BlockBytesMax)
        {
            throw new IOException(FormattableString.Invariant($"a block of more than {BlockBytesMax} bytes"));
        }

        if (length + bytes.Length > block.Length)
        {
            Array.Resize(ref block, Math.Max(length + bytes.Length, block.Length * 2));
        }

        bytes.CopyTo(block.AsSpan(length));
        length += bytes.Length;
    }
}
