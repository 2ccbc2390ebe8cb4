using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Scoring.Models.Features.State;

/// <summary>Fixed-size records by key: an open-addressed table over an arena of slabs, with the order of last use.</summary>
/// <remarks>
/// A record is words of 8 bytes: key length, key bytes (zero-padded), payload. The whole key is compared; the hash is seeded
/// per process and decides nothing but where a record lies. Every change can be undone: see <see cref="UndoLog"/>.
/// Order of use is a list through side arrays, so that a touch does not fetch the neighbours' records.
/// </remarks>
internal sealed class RecordTable
{
    private const int None = -1;
    private const int Free = -2;
    private const int FirstSlabWords = 4 * 1024;
    private const int SlabWordsWanted = 32 * 1024;

    // The first kilobyte of a record: its key, its counters, the beginning of its ring. More would push out what was fetched before.
    private const int FetchedWords = 128;

    private static readonly long Seed = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8));

    private readonly UndoLog undo;
    private readonly int keyWords;
    private readonly int slabShift;
    private long[][] slabs = [];
    private Link[] links = [];
    private ulong[] slots = new ulong[64];   // tag << 32 | index + 1; 0 is empty
    private int indexCount;                  // indices ever handed out
    private int freeIndex = None;
    private int newest = None;
    private int oldest = None;

    /// <summary>Makes an empty table.</summary>
    /// <param name="ordinal">The table's place among those of its partition.</param>
    /// <param name="keyBytesMax">Longest key.</param>
    /// <param name="payloadWords">Words of a record behind its key.</param>
    /// <param name="recordsMax">Most records; the caller makes room before it adds one.</param>
    /// <param name="undo">Where changes are logged.</param>
    public RecordTable(int ordinal, int keyBytesMax, int payloadWords, int recordsMax, UndoLog undo)
    {
        Ordinal = ordinal;
        this.undo = undo;
        KeyBytesMax = keyBytesMax;
        keyWords = (keyBytesMax + 7) / 8;
        RecordWords = 1 + keyWords + payloadWords;
        RecordsMax = recordsMax;
        // A table that stays small takes little.
        int slabWords = (long)recordsMax * RecordWords <= SlabWordsWanted ? FirstSlabWords : SlabWordsWanted;
        while (RecordWords << (slabShift + 1) <= slabWords)
        {
            slabShift++;
        }
    }

    /// <summary>What the changelog does not know yet; null where there is none.</summary>
    public ChangeTracker? Changes { get; private set; }

    /// <summary>The table's place among those of its partition.</summary>
    public int Ordinal { get; }

    /// <summary>Words of a record behind its key.</summary>
    public int PayloadWords => RecordWords - 1 - keyWords;

    /// <summary>Words of a record, key included.</summary>
    public int RecordWords { get; }

    /// <summary>Longest key, bytes.</summary>
    public int KeyBytesMax { get; }

    /// <summary>Most records.</summary>
    public int RecordsMax { get; }

    /// <summary>Records now.</summary>
    public int Count { get; private set; }

    /// <summary>Indices ever handed out: every record's lies below, not every one below is a record's.</summary>
    public int IndexCount => indexCount;

    /// <summary>The record unused for longest, or -1.</summary>
    public int Oldest => oldest;

    /// <summary>Bytes of slabs, links and table.</summary>
    public long Bytes => (slabs.Length * ((long)RecordWords << slabShift) * 8) + (links.LongLength * 16) + (slots.LongLength * 8);

    /// <summary>Begins to note changes. The table is empty.</summary>
    public void Track() => Changes = new ChangeTracker();

    /// <summary>Puts the records in the order of their numbers, after they were loaded in any order.</summary>
    public void OrderByStamp()
    {
        var order = new List<(long Stamp, int Index)>(Count);
        for (int index = newest; index != None; index = links[index].Next)
        {
            order.Add((Changes!.StampOf(index), index));
        }

        order.Sort();
        (newest, oldest) = (None, None);
        foreach (var (_, index) in order)
        {
            LinkAfter(index, None);
        }
    }

    /// <summary>Where a key lies, as all methods here want it.</summary>
    public static uint Tag(ReadOnlySpan<byte> key) => (uint)XxHash3.HashToUInt64(key, Seed);

    public bool IsLive(int index) => index < indexCount && links[index].Previous != Free;

    public ReadOnlySpan<byte> Key(int index) => KeyOf(Record(index));

    /// <summary>The key of a whole record.</summary>
    public static ReadOnlySpan<byte> KeyOf(ReadOnlySpan<long> record) => MemoryMarshal.AsBytes(record[1..])[..(int)record[0]];

    /// <summary>A record's payload, to look at.</summary>
    public ReadOnlySpan<long> Read(int index) => Record(index)[(1 + keyWords)..];

    /// <summary>A record's payload, to change: its before-image is saved first.</summary>
    public Span<long> Write(int index)
    {
        SaveImage(index);
        return Record(index)[(1 + keyWords)..];
    }

    /// <summary>
    /// A record's payload, to change in its first words and in one part behind them: only those are saved. A record with a long ring would be copied whole for one event.
    /// </summary>
    /// <param name="index">The record.</param>
    /// <param name="firstWords">How many words at the payload's beginning.</param>
    /// <param name="partAt">Where in the payload the part begins.</param>
    /// <param name="partWords">Its length.</param>
    public Span<long> Write(int index, int firstWords, int partAt, int partWords)
    {
        Changes?.Changed(index);
        var record = Record(index);
        int payloadAt = 1 + keyWords;
        if (undo.IsActive && links[index].Epoch != undo.WholeEpoch)
        {
            if (links[index].Epoch != undo.Epoch)
            {
                links[index].Epoch = undo.Epoch;
                undo.SavePart(Ordinal, index, payloadAt, record.Slice(payloadAt, firstWords));
            }

            undo.SavePart(Ordinal, index, payloadAt + partAt, record.Slice(payloadAt + partAt, partWords));
        }

        return record[payloadAt..];
    }

    /// <summary>The whole record, key included, for hashes and the changelog.</summary>
    public ReadOnlySpan<long> Whole(int index) => Record(index);

    /// <summary>The record of a key, or -1.</summary>
    public int Find(ReadOnlySpan<byte> key, uint tag)
    {
        uint mask = (uint)slots.Length - 1;
        for (uint at = tag & mask; slots[at] != 0; at = (at + 1) & mask)
        {
            if ((uint)(slots[at] >> 32) == tag)
            {
                int index = (int)(uint)slots[at] - 1;
                if (Key(index).SequenceEqual(key))
                {
                    return index;
                }
            }
        }

        return None;
    }

    /// <summary>Asks for the memory of a key's slot, without waiting for it.</summary>
    public void FetchSlot(uint tag) => Ahead.Fetch(in slots[tag & ((uint)slots.Length - 1)]);

    /// <summary>Asks for the memory of a key's record and its links; its slot should be there by now.</summary>
    /// <returns>The record that the tag leads to, or -1: a guess, for <see cref="FetchNeighbours"/> only.</returns>
    public int FetchRecord(uint tag)
    {
        uint mask = (uint)slots.Length - 1;
        for (uint at = tag & mask; slots[at] != 0; at = (at + 1) & mask)
        {
            if ((uint)(slots[at] >> 32) == tag)
            {
                int index = (int)(uint)slots[at] - 1;
                Ahead.Fetch(in links[index]);
                var record = Record(index);
                for (int word = 0; word < Math.Min(RecordWords, FetchedWords); word += Ahead.LineWords)
                {
                    Ahead.Fetch(in record[word]);
                }

                return index;
            }
        }

        return None;
    }

    /// <summary>Asks for the links of a record's neighbours, which change when it is used.</summary>
    public void FetchNeighbours(int index)
    {
        if (index != None && links[index] is { Previous: >= 0, Next: >= 0 } link)
        {
            Ahead.Fetch(in links[link.Previous]);
            Ahead.Fetch(in links[link.Next]);
        }
    }

    /// <summary>Adds a record with a payload of zeros as the newest. The key is not there yet and there is room.</summary>
    public int Add(ReadOnlySpan<byte> key, uint tag)
    {
        int index = freeIndex;
        if (index != None)
        {
            freeIndex = links[index].Next;
        }
        else
        {
            index = indexCount++;
            MakeRoom(index);
        }

        if (undo.IsActive)
        {
            undo.SaveInsert(Ordinal, index);
            links[index].Epoch = undo.WholeEpoch; // nothing to bring back: it was not there
        }

        Changes?.Moved(index);

        links[index].Tag = tag;
        var record = Record(index);
        record.Clear();
        record[0] = key.Length;
        key.CopyTo(MemoryMarshal.AsBytes(record.Slice(1, keyWords)));
        LinkAfter(index, None);
        Enter(index, tag);
        return index;
    }

    /// <summary>Makes a record the newest.</summary>
    public void Touch(int index)
    {
        if (index == newest)
        {
            return;
        }

        if (undo.IsActive)
        {
            undo.SaveMove(Ordinal, index, links[index].Previous, Changes?.StampOf(index) ?? 0);
        }

        Changes?.Moved(index);

        Unlink(index);
        LinkAfter(index, None);
    }

    /// <summary>Takes a record away.</summary>
    public void Remove(int index)
    {
        if (undo.IsActive)
        {
            SaveImage(index);
            undo.SaveRemove(Ordinal, index, links[index].Previous, links[index].Tag, Changes?.StampOf(index) ?? 0);
        }

        Changes?.Removed(Key(index));

        Leave(index);
        Unlink(index);
        GiveBack(index);
    }

    /// <summary>From the newest to the oldest: the one used next-longest ago, or -1. Start with -1.</summary>
    public int NextOlder(int index) => index == None ? newest : links[index].Next;

    internal void Restore(int index, int at, ReadOnlySpan<long> saved) => saved.CopyTo(Record(index)[at..]);

    internal void UndoInsert(int index)
    {
        Leave(index);
        Unlink(index);
        GiveBack(index);
    }

    internal void UndoRemove(int index, int previous, uint tag, long stamp)
    {
        if (freeIndex != index)
        {
            throw new InvalidOperationException("the undo log does not match the table it belongs to");
        }

        freeIndex = links[index].Next;
        links[index].Tag = tag;
        LinkAfter(index, previous);
        Enter(index, tag);
        Changes?.SetStamp(index, stamp);
    }

    internal void UndoMove(int index, int previous, long stamp)
    {
        Changes?.SetStamp(index, stamp);
        Unlink(index);
        LinkAfter(index, previous);
    }

    private Span<long> Record(int index)
    {
        int at = (index & ((1 << slabShift) - 1)) * RecordWords;
        return slabs[index >> slabShift].AsSpan(at, RecordWords);
    }

    private void SaveImage(int index)
    {
        Changes?.Changed(index);
        if (undo.IsActive && links[index].Epoch != undo.WholeEpoch)
        {
            links[index].Epoch = undo.WholeEpoch; // What parts are saved already are undone after this image, which is newer.
            undo.SaveImage(Ordinal, index, Record(index));
        }
    }

    private void MakeRoom(int index)
    {
        int slab = index >> slabShift;
        if (slab >= slabs.Length)
        {
            Array.Resize(ref slabs, slab + 1);
            slabs[slab] = GC.AllocateUninitializedArray<long>(RecordWords << slabShift);
        }

        if (index >= links.Length)
        {
            Array.Resize(ref links, Math.Max(64, links.Length * 2));
        }
    }

    private void Enter(int index, uint tag)
    {
        if (++Count * 2 > slots.Length)
        {
            Grow();
        }

        Place(slots, tag, index);
    }

    private static void Place(ulong[] slots, uint tag, int index)
    {
        uint mask = (uint)slots.Length - 1;
        uint at = tag & mask;
        while (slots[at] != 0)
        {
            at = (at + 1) & mask;
        }

        slots[at] = ((ulong)tag << 32) | (uint)(index + 1);
    }

    private void Grow()
    {
        var wider = new ulong[slots.Length * 2];
        foreach (ulong slot in slots)
        {
            if (slot != 0)
            {
                Place(wider, (uint)(slot >> 32), (int)(uint)slot - 1);
            }
        }

        slots = wider;
    }

    /// <summary>Takes a record out of the table; those behind it close the gap, so that no tombstones gather.</summary>
    private void Leave(int index)
    {
        Count--;
        uint mask = (uint)slots.Length - 1;
        uint gap = links[index].Tag & mask;
        while ((int)(uint)slots[gap] - 1 != index)
        {
            gap = (gap + 1) & mask;
        }

        for (uint at = (gap + 1) & mask; slots[at] != 0; at = (at + 1) & mask)
        {
            uint home = (uint)(slots[at] >> 32) & mask;
            if (((at - home) & mask) >= ((at - gap) & mask))
            {
                slots[gap] = slots[at];
                gap = at;
            }
        }

        slots[gap] = 0;
    }

    private void GiveBack(int index)
    {
        links[index].Previous = Free;
        links[index].Next = freeIndex;
        freeIndex = index;
    }

    private void LinkAfter(int index, int previous)
    {
        int next = previous == None ? newest : links[previous].Next;
        links[index].Previous = previous;
        links[index].Next = next;
        if (previous == None)
        {
            newest = index;
        }
        else
        {
            links[previous].Next = index;
        }

        if (next == None)
        {
            oldest = index;
        }
        else
        {
            links[next].Previous = index;
        }
    }

    private void Unlink(int index)
    {
        int previous = links[index].Previous;
        int next = links[index].Next;
        if (previous == None)
        {
            newest = next;
        }
        else
        {
            links[previous].Next = next;
        }

        if (next == None)
        {
            oldest = previous;
        }
        else
        {
            links[next].Previous = previous;
        }
    }

    /// <summary>A record's neighbours in the order of use, the transaction that saved its image, and its tag.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Link
    {
        public int Previous;   // more recently used; Free for a record that is not there
        public int Next;       // less recently used, or the next free one
        public int Epoch;      // of the undo log: whether its first words or all of it is saved there
        public uint Tag;
    }
}
