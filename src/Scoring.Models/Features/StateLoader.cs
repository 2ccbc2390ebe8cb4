using System.Buffers.Binary;
using System.Text;
using Scoring.Models.Features.State;

namespace Scoring.Models.Features;

/// <summary>What stands in a changelog for a state.</summary>
public enum StateFound
{
    /// <summary>Nothing that this state can be made of; the input tells it.</summary>
    Nothing,

    /// <summary>Records of another definition's features only; the input tells this one's.</summary>
    OtherDefinition,

    /// <summary>Records of no one point, from a worker that was stopped while it wrote them for the first time; the input tells the state.</summary>
    Unfinished,

    /// <summary>The state as of a mark.</summary>
    Marked,
}

/// <summary>Loads a partition's state from its changelog, record by record, in the order of the topic.</summary>
/// <param name="state">An empty state that keeps a changelog.</param>
public sealed class StateLoader(PartitionState state)
{
    private readonly long[] words = new long[state.LongestPayload];
    private byte[]? mark;
    private byte[]? position;
    private byte[]? sources;
    private readonly HashSet<long> excluded = [];
    private bool hasOther;

    internal const int PositionBytes = 20;

    /// <summary>Group whose offsets <see cref="Position"/> tells.</summary>
    public string? Group { get; private set; }

    /// <summary>How far the partition was committed when the changelog was written last; null when it does not say.</summary>
    public StateMark? Position { get; private set; }

    /// <summary>Topics that the state is of; null where a build wrote it that did not say so.</summary>
    public StateSources? Sources { get; private set; }

    /// <summary>Offsets of input records that are no part of the state.</summary>
    public IReadOnlyCollection<long> Excluded => excluded;

    /// <summary>Records taken.</summary>
    public long Records { get; private set; }

    /// <summary>The group that a record of the changelog tells; null for every record that is no position.</summary>
    public static string? GroupOf(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        StateCodec.TryReadKey(key, out byte kind, out _) && kind == StateCodec.Position && value.Length >= PositionBytes ? Encoding.UTF8.GetString(value[PositionBytes..]) : null;

    /// <summary>Whether a record of the changelog is a mark of records of a shape.</summary>
    public static bool IsMark(ReadOnlySpan<byte> key, uint shape) => StateCodec.TryReadKey(key, out byte kind, out uint its) && kind == StateCodec.Mark && its == shape;

    /// <summary>Writes everything that was taken and still stands, so that another loader which takes it is as this one: records, then position and mark.</summary>
    /// <param name="write">Takes it.</param>
    /// <returns>False when there is no mark of this definition: it would be nobody's state.</returns>
    public bool TryWriteCopy(StateWriter write)
    {
        if (mark is null)
        {
            return false;
        }

        var cursor = default(StateCursor);
        state.WriteCopy(ref cursor, int.MaxValue, write);
        Span<byte> key = stackalloc byte[StateCodec.ExcludedKeyBytes];
        write(StateCodec.WriteKey(key, StateCodec.Mark, state.Shape), mark);
        if (sources is not null)
        {
            write(StateCodec.WriteKey(key, StateCodec.Mark, 0), sources);
        }

        if (position is not null)
        {
            write(StateCodec.WriteKey(key, StateCodec.Position, 0), position);
        }

        foreach (long offset in Excluded)
        {
            write(StateCodec.WriteExcludedKey(key, offset), [1]);
        }

        return true;
    }

    /// <summary>Takes one record.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="value">Its value; empty where the key is taken away.</param>
    /// <exception cref="InvalidDataException">It is none of ours, or of a later version: what is wrong.</exception>
    public void Take(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (!StateCodec.TryReadKey(key, out byte kind, out uint shape))
        {
            throw new InvalidDataException(key.IsEmpty ? "a record without a key" : $"a key of version {key[0]}; this build reads version {StateCodec.Version}");
        }

        Records++;
        if (kind == StateCodec.Position)
        {
            Position = value.Length >= PositionBytes ? ReadMark(value) : throw new InvalidDataException($"a position of {value.Length} bytes");
            Group = GroupOf(key, value);
            position = value.ToArray();
            return;
        }

        if (kind == StateCodec.Excluded)
        {
            excluded.Add(BinaryPrimitives.ReadInt64BigEndian(key[StateCodec.PrefixBytes..]));
            return;
        }

        if (kind == StateCodec.Mark && shape == 0)
        {
            Sources = StateSources.Read(value);
            sources = value.ToArray();
            return;
        }

        if (shape != state.Shape)
        {
            hasOther = true;
            return;
        }

        if (kind == StateCodec.Mark)
        {
            mark = state.IsMark(value) ? value.ToArray() : throw new InvalidDataException($"a mark of {value.Length} bytes");
            return;
        }

        int ordinal = BinaryPrimitives.ReadUInt16BigEndian(key[StateCodec.PrefixBytes..]);
        if (ordinal >= state.Tables.Length || key.Length - StateCodec.RecordKeyBytes > state.Tables[ordinal].KeyBytesMax)
        {
            throw new InvalidDataException($"a record of table {ordinal} with a key of {key.Length - StateCodec.RecordKeyBytes} bytes");
        }

        Take(state.Tables[ordinal], key[StateCodec.RecordKeyBytes..], value);
    }

    /// <summary>Ends the loading: the state is as of the mark, or empty.</summary>
    /// <param name="marked">The mark.</param>
    public StateFound Finish(out StateMark marked)
    {
        marked = default;
        if (mark is null)
        {
            return hasOther ? StateFound.OtherDefinition : StateFound.Nothing;
        }

        marked = ReadMark(mark);
        if (marked.PartitionCount == 0)
        {
            return StateFound.Unfinished;
        }

        state.Restore(mark);
        return StateFound.Marked;
    }

    private static StateMark ReadMark(ReadOnlySpan<byte> value) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(value), BinaryPrimitives.ReadInt64LittleEndian(value[8..]), BinaryPrimitives.ReadInt32LittleEndian(value[16..]));

    private void Take(RecordTable table, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        uint tag = RecordTable.Tag(key);
        int index = table.Find(key, tag);
        if (value.IsEmpty)
        {
            if (index >= 0)
            {
                table.Remove(index);
            }

            return;
        }

        int count = table.PayloadWords;
        if (!StateCodec.TryReadValue(value, out long stamp, words.AsSpan(0, count)))
        {
            throw new InvalidDataException($"a record whose {value.Length} bytes are not {count} words");
        }

        index = index < 0 ? table.Add(key, tag) : index;
        words.AsSpan(0, count).CopyTo(table.Write(index));
        table.Changes!.SetStamp(index, stamp);
    }
}
