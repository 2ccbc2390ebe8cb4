using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Scoring.Models.Features.State;

/// <summary>Which records of a table are unlike their last copy in the changelog, and when each was used, as a number that grows.</summary>
/// <remarks>
/// Independent of transactions: one that is taken back leaves marks on records that are as before, which are then written once more
/// than needed. The order of use goes to the changelog too, since it decides which key is given up when there are too many.
/// </remarks>
internal sealed class ChangeTracker
{
    private Mark[] marks = [];
    private int[] changed = new int[64];
    private int changedCount;
    private int writtenCount;
    private byte[] removed = [];
    private int removedLength;
    private int removedWritten;
    private uint round = 1;
    private long lastStamp;

    /// <summary>Records and removed keys not written yet, at most: some may come twice or be gone.</summary>
    public int Pending => changedCount - writtenCount;

    /// <summary>Whether keys were removed that are not written yet.</summary>
    public bool HasRemoved => removedLength > removedWritten;

    /// <summary>Number of a record's last use.</summary>
    public long StampOf(int index) => index < marks.Length ? marks[index].Stamp : 0;

    /// <summary>Sets it.</summary>
    public void SetStamp(int index, long stamp)
    {
        MarkOf(index).Stamp = stamp;
        lastStamp = Math.Max(lastStamp, stamp);
    }

    /// <summary>A record's content changes.</summary>
    public void Changed(int index)
    {
        ref var mark = ref MarkOf(index);
        if (!mark.IsChanged)
        {
            mark.IsChanged = true;
            if (changedCount == changed.Length)
            {
                Array.Resize(ref changed, changed.Length * 2);
            }

            changed[changedCount++] = index;
        }
    }

    /// <summary>A record becomes the newest.</summary>
    public void Moved(int index)
    {
        Changed(index);
        marks[index].Round = round;
    }

    /// <summary>A key goes.</summary>
    public void Removed(ReadOnlySpan<byte> key)
    {
        int needed = removedLength + 2 + key.Length;
        if (needed > removed.Length)
        {
            Array.Resize(ref removed, Math.Max(256, Math.Max(needed, removed.Length * 2)));
        }

        BinaryPrimitives.WriteUInt16LittleEndian(removed.AsSpan(removedLength), (ushort)key.Length);
        key.CopyTo(removed.AsSpan(removedLength + 2));
        removedLength = needed;
    }

    /// <summary>Numbers the records that were used since the last time, so that the numbers are in the table's order.</summary>
    public void Stamp(RecordTable table)
    {
        int count = 0;
        for (int index = table.NextOlder(-1); index >= 0 && MarkOf(index).Round == round; index = table.NextOlder(index))
        {
            count++;
        }

        lastStamp += count;
        long stamp = lastStamp;
        for (int index = table.NextOlder(-1); count > 0; index = table.NextOlder(index), count--)
        {
            marks[index].Stamp = stamp--;
        }
    }

    /// <summary>The next record to write, or -1.</summary>
    public int NextChanged() => writtenCount < changedCount ? changed[writtenCount++] : -1;

    /// <summary>The next removed key to write, or none.</summary>
    public ReadOnlySpan<byte> NextRemoved()
    {
        if (!HasRemoved)
        {
            return default;
        }

        var left = removed.AsSpan(removedWritten);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(left);
        removedWritten += 2 + length;
        return left.Slice(2, length);
    }

    /// <summary>What was written is in the changelog.</summary>
    public void Keep()
    {
        for (int i = 0; i < writtenCount; i++)
        {
            marks[changed[i]].IsChanged = false;
        }

        changed.AsSpan(writtenCount, changedCount - writtenCount).CopyTo(changed);
        changedCount -= writtenCount;
        writtenCount = 0;
        removed.AsSpan(removedWritten, removedLength - removedWritten).CopyTo(removed);
        removedLength -= removedWritten;
        removedWritten = 0;
        if (changedCount == 0)
        {
            round++;
        }
    }

    /// <summary>What was written is not in the changelog.</summary>
    public void Discard()
    {
        writtenCount = 0;
        removedWritten = 0;
    }

    /// <summary>Forgets every mark but the order: all is in the changelog.</summary>
    public void Forget()
    {
        writtenCount = changedCount;
        removedWritten = removedLength;
        Keep();
    }

    private ref Mark MarkOf(int index)
    {
        if (index >= marks.Length)
        {
            Array.Resize(ref marks, Math.Max(64, Math.Max(index + 1, marks.Length * 2)));
        }

        return ref marks[index];
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Mark
    {
        public long Stamp;
        public uint Round;
        public bool IsChanged;
    }
}
