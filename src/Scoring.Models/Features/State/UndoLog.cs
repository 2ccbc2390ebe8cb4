namespace Scoring.Models.Features.State;

/// <summary>Takes a key that a table had.</summary>
internal delegate void RemovedKeyVisitor(int table, ReadOnlySpan<byte> key);

/// <summary>What must be done, last step first, to bring a partition's records back to where they were when its Kafka transaction began.</summary>
/// <remarks>
/// One growing array of words, reused from transaction to transaction. An entry is its payload followed by a trailer
/// (kind, table, record index), so that it can be read from the end.
/// </remarks>
internal sealed class UndoLog
{
    // Of every entry but an image: where the record lay, and the number of its last use.
    private const int PlaceWords = 2;

    private long[] words = new long[1024];
    private int wordCount;

    /// <summary>Counted up at every <see cref="Begin"/>; a record whose epoch is this one has its before-image here.</summary>
    public int Epoch { get; private set; }

    /// <summary>Whether changes are being logged.</summary>
    public bool IsActive { get; private set; }

    /// <summary>Bytes the log holds now.</summary>
    public long Bytes => (long)wordCount * sizeof(long);

    public void Begin()
    {
        Epoch++;
        wordCount = 0;
        IsActive = true;
    }

    public void End()
    {
        wordCount = 0;
        IsActive = false;
    }

    public void SaveImage(int table, int index, ReadOnlySpan<long> record)
    {
        Reserve(record.Length + 1);
        record.CopyTo(words.AsSpan(wordCount));
        wordCount += record.Length;
        words[wordCount++] = Trailer(UndoKind.Image, table, index);
    }

    public void SaveInsert(int table, int index) => Save(UndoKind.Insert, table, index, 0, 0);

    public void SaveRemove(int table, int index, int previous, uint tag, long stamp) => Save(UndoKind.Remove, table, index, ((long)tag << 32) | (uint)previous, stamp);

    public void SaveMove(int table, int index, int previous, long stamp) => Save(UndoKind.Move, table, index, previous, stamp);

    /// <summary>Undoes every entry, last first.</summary>
    public void Rollback(ReadOnlySpan<RecordTable> tables)
    {
        while (wordCount > 0)
        {
            long trailer = words[--wordCount];
            var table = tables[(int)(trailer >> 32) & 0xFFFF];
            int index = (int)(uint)trailer;
            switch ((UndoKind)(trailer >> 56))
            {
                case UndoKind.Image:
                    wordCount -= table.RecordWords;
                    table.RestoreImage(index, words.AsSpan(wordCount, table.RecordWords));
                    break;
                case UndoKind.Insert:
                    wordCount -= PlaceWords;
                    table.UndoInsert(index);
                    break;
                case UndoKind.Remove:
                    wordCount -= PlaceWords;
                    table.UndoRemove(index, (int)(uint)words[wordCount], (uint)(words[wordCount] >> 32), words[wordCount + 1]);
                    break;
                default:
                    wordCount -= PlaceWords;
                    table.UndoMove(index, (int)words[wordCount], words[wordCount + 1]);
                    break;
            }
        }

        IsActive = false;
    }

    /// <summary>Records of a table whose before-image or insertion was logged, one call each; a record may come twice.</summary>
    public void VisitChanged(ReadOnlySpan<RecordTable> tables, Action<int, int> visit)
    {
        for (int at = wordCount; at > 0;)
        {
            long trailer = words[--at];
            int table = (int)(trailer >> 32) & 0xFFFF;
            var kind = (UndoKind)(trailer >> 56);
            at -= kind == UndoKind.Image ? tables[table].RecordWords : PlaceWords;
            if (kind != UndoKind.Move)
            {
                visit(table, (int)(uint)trailer);
            }
        }
    }

    /// <summary>Tells each key that a record had before it was removed or its place reused: its before-image holds it.</summary>
    public void VisitRemoved(ReadOnlySpan<RecordTable> tables, RemovedKeyVisitor visit)
    {
        for (int at = wordCount; at > 0;)
        {
            long trailer = words[--at];
            int table = (int)(trailer >> 32) & 0xFFFF;
            bool isImage = (UndoKind)(trailer >> 56) == UndoKind.Image;
            at -= isImage ? tables[table].RecordWords : PlaceWords;
            if (isImage)
            {
                visit(table, RecordTable.KeyOf(words.AsSpan(at, tables[table].RecordWords)));
            }
        }
    }

    private static long Trailer(UndoKind kind, int table, int index) => ((long)kind << 56) | ((long)table << 32) | (uint)index;

    private void Save(UndoKind kind, int table, int index, long place, long stamp)
    {
        Reserve(PlaceWords + 1);
        words[wordCount++] = place;
        words[wordCount++] = stamp;
        words[wordCount++] = Trailer(kind, table, index);
    }

    private void Reserve(int more)
    {
        if (wordCount + more > words.Length)
        {
            Array.Resize(ref words, Math.Max(words.Length * 2, wordCount + more));
        }
    }

    private enum UndoKind
    {
        Image,
        Insert,
        Remove,
        Move,
    }
}
