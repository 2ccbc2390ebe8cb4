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
    // Of every entry but an image: where the record lay and the number of its last use; of a part where it begins, and its length.
    private const int PlaceWords = 2;

    private long[] words = new long[1024];
    private int wordCount;

    /// <summary>Even, and another one after every <see cref="Begin"/>: the epoch of a record whose first words are here as they were; one more (<see cref="WholeEpoch"/>) when all of it is.</summary>
    public int Epoch { get; private set; }

    /// <summary>The epoch of a record that is here as a whole, or that was not there.</summary>
    public int WholeEpoch => Epoch + 1;

    /// <summary>Whether changes are being logged.</summary>
    public bool IsActive { get; private set; }

    /// <summary>Bytes the log holds now.</summary>
    public long Bytes => (long)wordCount * sizeof(long);

    public void Begin()
    {
        Epoch += 2;
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

    /// <summary>Saves some words of a record.</summary>
    /// <param name="table">Ordinal of its table.</param>
    /// <param name="index">Its index there.</param>
    /// <param name="at">First of the words, counted from the record's beginning.</param>
    /// <param name="part">The words.</param>
    public void SavePart(int table, int index, int at, ReadOnlySpan<long> part)
    {
        Reserve(part.Length + PlaceWords + 1);
        part.CopyTo(words.AsSpan(wordCount));
        wordCount += part.Length;
        words[wordCount++] = at;
        words[wordCount++] = part.Length;
        words[wordCount++] = Trailer(UndoKind.Part, table, index);
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
                    table.Restore(index, 0, words.AsSpan(wordCount, table.RecordWords));
                    break;
                case UndoKind.Part:
                    wordCount -= PlaceWords;
                    var (at, length) = ((int)words[wordCount], (int)words[wordCount + 1]);
                    wordCount -= length;
                    table.Restore(index, at, words.AsSpan(wordCount, length));
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
            at -= PayloadWords(kind, at, tables[table]);
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
            var kind = (UndoKind)(trailer >> 56);
            at -= PayloadWords(kind, at, tables[table]);
            if (kind == UndoKind.Image)
            {
                visit(table, RecordTable.KeyOf(words.AsSpan(at, tables[table].RecordWords)));
            }
        }
    }

    private static long Trailer(UndoKind kind, int table, int index) => ((long)kind << 56) | ((long)table << 32) | (uint)index;

    /// <summary>Words of the payload that ends at a place.</summary>
    private int PayloadWords(UndoKind kind, int end, RecordTable table) => kind switch
    {
        UndoKind.Image => table.RecordWords,
        UndoKind.Part => (int)words[end - 1] + PlaceWords,
        _ => PlaceWords,
    };

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
        Part,
        Insert,
        Remove,
        Move,
    }
}
