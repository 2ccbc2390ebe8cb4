namespace Scoring.Models.Events.Files;

/// <summary>Cuts the bytes of one kind of file into records.</summary>
internal abstract class RecordReader
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    private long linesRead = 1;
    private bool isBegun;

    /// <summary>Line on which the current record begins, from 1.</summary>
    public long LineNumber { get; private set; }

    public ReadOnlyMemory<byte> Json { get; protected set; }

    public string? Problem { get; protected set; }

    /// <summary>Goes to the next record; false at the end.</summary>
    public bool Read(ByteSource source)
    {
        if (!isBegun)
        {
            isBegun = true;
            while (source.Span.Length < ByteOrderMark.Length && source.More())
            {
                // the mark may come in pieces
            }

            if (source.Span.StartsWith(ByteOrderMark))
            {
                source.Take(ByteOrderMark.Length);
            }
        }

        Json = default;
        Problem = null;
        return Next(source);
    }

    protected abstract bool Next(ByteSource source);

    /// <summary>Says that the current record begins here.</summary>
    protected void Begin() => LineNumber = linesRead;

    /// <summary>Lets go of bytes and counts their lines.</summary>
    protected void Take(ByteSource source, int length)
    {
        linesRead += source.Span[..length].Count((byte)'\n');
        source.Take(length);
    }
}
