using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Scoring.Models.Features.State;

namespace Scoring.Models.Features;

/// <summary>Takes one record of a changelog.</summary>
/// <param name="key">Compaction key.</param>
/// <param name="value">Its value; empty takes the key away.</param>
public delegate void StateWriter(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

/// <summary>The point of the input that a changelog's records are the state of.</summary>
/// <param name="TransactionOffset">First transaction that is not in the state.</param>
/// <param name="LabelOffset">First label that is not in it.</param>
/// <param name="PartitionCount">Partitions of the input when it was written; 0 while the records are of no one point.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct StateMark(long TransactionOffset, long LabelOffset, int PartitionCount);

/// <summary>How far a copy of a state is.</summary>
/// <param name="Table">The table it is at.</param>
/// <param name="Index">The record in it.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct StateCursor(int Table, int Index);

/// <content>How a state goes to its changelog and comes back.</content>
/// <remarks>
/// The state is a deterministic function of the input, so its records need not be written with every change: from time to time all that
/// changed is written with a <see cref="StateMark"/>, in one Kafka transaction. Restoring loads the last of each key and goes through
/// the input from the mark on.
/// </remarks>
public sealed partial class PartitionState
{
    private static readonly int CounterBytes = Marshal.SizeOf<StateCounters>();

    private uint shape;
    private byte[] valueToWrite = [];

    /// <summary>Records whose last change is not in the changelog, at most.</summary>
    public long ChangesPending => tables.Sum(table => table.Changes?.Pending ?? 0);

    /// <summary>Records held, of every kind.</summary>
    public long RecordCount => tables.Sum(table => (long)table.Count);

    /// <summary>Hash of what the records of the changelog mean; others are passed over.</summary>
    public uint Shape => shape;

    /// <summary>Begins to note changes for a changelog. Nothing has been processed.</summary>
    public void KeepChangelog()
    {
        var text = new StringBuilder(Plan.Digest);
        foreach (var table in tables)
        {
            table.Track();
            text.Append(' ').Append(table.KeyBytesMax).Append(' ').Append(table.RecordWords);
        }

        shape = XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(text.ToString()));
        valueToWrite = new byte[Math.Max(MarkBytesMax, tables.Max(table => StateCodec.ValueBytesMax(table.RecordWords)))];
    }

    /// <summary>Writes changed records, in the order of the changes.</summary>
    /// <param name="countMax">Most records.</param>
    /// <param name="write">Takes them.</param>
    /// <returns>Whether all is written, so that a mark may follow.</returns>
    public bool WriteChanges(int countMax, StateWriter write)
    {
        foreach (var table in tables)
        {
            countMax = WriteChanges(table, countMax, write);
            if (table.Changes!.Pending > 0 || table.Changes.HasRemoved)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Writes records as they are now, a part of them at a time: together with every record of the changelog since before the first part they are the state.</summary>
    /// <remarks>
    /// A record that changes between two parts, or moves, is written to the changelog afterwards, and so is one that goes: what a reader of the changelog is given later takes its place.
    /// So a copy is one of a mark only when a mark was written after the last part. Between transactions only: what could be taken back must not be in it.
    /// </remarks>
    /// <param name="cursor">Where the part begins; 0 for the first. Afterwards where the next one does.</param>
    /// <param name="countMax">Most records of a part, those that are no longer there counted.</param>
    /// <param name="write">Takes them.</param>
    /// <returns>Whether this was the last part.</returns>
    public bool WriteCopy(ref StateCursor cursor, int countMax, StateWriter write)
    {
        for (; cursor.Table < tables.Length; cursor = new StateCursor(cursor.Table + 1, 0))
        {
            var table = tables[cursor.Table];
            int index = cursor.Index;
            for (; index < table.IndexCount && countMax > 0; index++, countMax--)
            {
                if (table.IsLive(index))
                {
                    write(StateCodec.WriteRecordKey(keyBuffer, shape, table.Ordinal, table.Key(index)), StateCodec.WriteValue(valueToWrite, table.Changes!.StampOf(index), table.Read(index)));
                }
            }

            cursor = new StateCursor(cursor.Table, index);
            if (index < table.IndexCount)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Writes that a record of the input is no part of the state, whatever becomes of the definition.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="write">Takes it.</param>
    public void WriteExcluded(long offset, StateWriter write) => write(StateCodec.WriteExcludedKey(keyBuffer, offset), [1]);

    /// <summary>Writes the mark: the records stand for this point of the input, or, with no partition count, for no point.</summary>
    public void WriteMark(StateMark mark, StateWriter write)
    {
        Span<byte> value = valueToWrite;
        BinaryPrimitives.WriteInt64LittleEndian(value, mark.TransactionOffset);
        BinaryPrimitives.WriteInt64LittleEndian(value[8..], mark.LabelOffset);
        BinaryPrimitives.WriteInt32LittleEndian(value[16..], mark.PartitionCount);
        BinaryPrimitives.WriteInt64LittleEndian(value[20..], WatermarkMs);
        int at = 28;
        MemoryMarshal.Write(value[at..], in counters);
        at += CounterBytes;
        MemoryMarshal.AsBytes<long>(runLengths).CopyTo(value[at..]);
        at += runLengths.Length * sizeof(long);
        var expired = queue.Expired;
        if (at + expired.Length > value.Length)
        {
            byte[] longer = new byte[at + expired.Length];
            value[..at].CopyTo(longer);
            value = longer;
        }

        expired.CopyTo(value[at..]);
        write(StateCodec.WriteKey(keyBuffer, StateCodec.Mark, shape), value[..(at + expired.Length)]);
    }

    /// <summary>Writes how far the partition is committed: what the group's offset is checked against.</summary>
    /// <param name="position">First offsets that are not committed.</param>
    /// <param name="group">Whose offsets they are, UTF-8, at most 255 bytes: another group's state is none of this one's.</param>
    /// <param name="write">Takes it.</param>
    public void WritePosition(StateMark position, ReadOnlySpan<byte> group, StateWriter write)
    {
        Span<byte> value = stackalloc byte[StateLoader.PositionBytes + group.Length];
        group.CopyTo(value[StateLoader.PositionBytes..]);
        BinaryPrimitives.WriteInt64LittleEndian(value, position.TransactionOffset);
        BinaryPrimitives.WriteInt64LittleEndian(value[8..], position.LabelOffset);
        BinaryPrimitives.WriteInt32LittleEndian(value[16..], position.PartitionCount);
        write(StateCodec.WriteKey(keyBuffer, StateCodec.Position, 0), value); // One for all shapes: a changed definition changes no position.
    }

    /// <summary>Writes which topics the state is of, with every mark and position before the first one: offsets mean nothing elsewhere.</summary>
    public void WriteSources(StateSources sources, StateWriter write)
    {
        Span<byte> value = stackalloc byte[StateSources.BytesMax];
        write(StateCodec.WriteKey(keyBuffer, StateCodec.Mark, 0), value[..sources.Write(value)]);
    }

    /// <summary>What was written is committed.</summary>
    public void KeepWritten()
    {
        foreach (var table in tables)
        {
            table.Changes!.Keep();
        }
    }

    /// <summary>What was written is not committed: it is due again.</summary>
    public void DiscardWritten()
    {
        foreach (var table in tables)
        {
            table.Changes!.Discard();
        }
    }

    private int WriteChanges(RecordTable table, int countMax, StateWriter write)
    {
        var changes = table.Changes!;
        changes.Stamp(table);
        while (changes.HasRemoved && countMax-- > 0)
        {
            var key = changes.NextRemoved();
            if (table.Find(key, RecordTable.Tag(key)) < 0)
            {
                write(StateCodec.WriteRecordKey(keyBuffer, shape, table.Ordinal, key), []);
            }
        }

        while (countMax-- > 0 && changes.NextChanged() is >= 0 and var index)
        {
            if (table.IsLive(index))
            {
                write(StateCodec.WriteRecordKey(keyBuffer, shape, table.Ordinal, table.Key(index)), StateCodec.WriteValue(valueToWrite, changes.StampOf(index), table.Read(index)));
            }
        }

        return countMax;
    }

    private int MarkBytesMax => 28 + CounterBytes + (runLengths.Length * sizeof(long));

    internal void Restore(ReadOnlySpan<byte> mark)
    {
        WatermarkMs = BinaryPrimitives.ReadInt64LittleEndian(mark[20..]);
        counters = MemoryMarshal.Read<StateCounters>(mark[28..]);
        int at = 28 + CounterBytes;
        MemoryMarshal.Cast<byte, long>(mark.Slice(at, runLengths.Length * sizeof(long))).CopyTo(runLengths);
        queue.Restore(mark[(at + (runLengths.Length * sizeof(long)))..]);
        for (int ordinal = 0; ordinal < tables.Length; ordinal++)
        {
            var table = tables[ordinal];
            table.OrderByStamp();
            if (ordinal < Plan.Entities.Length && Plan.Entities[ordinal].IsShared)
            {
                for (int index = table.NextOlder(-1); index >= 0; index = table.NextOlder(index))
                {
                    if (table.Read(index)[0] != 0)
                    {
                        queue.AddChanged(ordinal, index);
                    }
                }
            }

            table.Changes!.Forget();
        }
    }

    internal bool IsMark(ReadOnlySpan<byte> value) => value.Length >= MarkBytesMax;

    internal ReadOnlySpan<RecordTable> Tables => tables;

    internal int LongestPayload => tables.Max(table => table.PayloadWords);
}
