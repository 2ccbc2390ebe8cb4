using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Scoring.Models.Features.Plan;
using Scoring.Models.Features.Sharing;
using Scoring.Models.Features.State;
using Scoring.Models.Features.Windows;

namespace Scoring.Models.Features;

/// <summary>Takes one record that a transaction changed, for a changelog.</summary>
/// <param name="entityOrdinal">Entity of the plan; the tables of transactions and of waiting labels follow behind the entities.</param>
/// <param name="key">Key of the record.</param>
/// <param name="record">The record as it is now, key included; empty when it is gone.</param>
public delegate void ChangedRecordVisitor(int entityOrdinal, ReadOnlySpan<byte> key, ReadOnlySpan<byte> record);

/// <summary>Everything one input partition remembers. Written by one thread.</summary>
/// <remarks>
/// A deterministic function of the partition's input: two states that have processed the same log have the same <see cref="Hash"/>,
/// whatever their transactions were. Between <see cref="Begin"/> and <see cref="Commit"/> every change can be taken back by
/// <see cref="Rollback"/>; outside (a trainer replaying history) nothing is logged.
/// </remarks>
public sealed partial class PartitionState : IDisposable
{
    private readonly RecordTable[] tables;
    private readonly UndoLog undo = new();
    private readonly ContributionQueue queue = new();
    private readonly long[] runLengths;
    private readonly long[] runLengthsAtBegin;
    private readonly byte[] keyBuffer = new byte[ContributionCodec.PaneKeyBytes + 1024];
    private readonly byte[] valueBuffer;
    private long watermarkAtBegin;
    private StateCounters countersAtBegin;

    /// <summary>Nothing seen yet.</summary>
    /// <param name="plan">What to remember.</param>
    /// <param name="partition">Number of the partition, its source number among contributions.</param>
    public PartitionState(FeaturePlan plan, int partition)
    {
        Plan = plan;
        Partition = partition;
        var all = new List<RecordTable>();
        foreach (var entity in plan.Entities)
        {
            int keyBytes = entity.KeyBytesMax + (entity.IsShared ? sizeof(long) : 0);
            all.Add(new RecordTable(all.Count, keyBytes, entity.PayloadWords, entity.KeysMax, undo));
        }

        Transactions = new RecordTable(all.Count, KnownTransaction.IdBytesMax, KnownTransaction.PayloadWords(plan), plan.RecentTransactionsMax, undo);
        all.Add(Transactions);
        Waiting = new RecordTable(all.Count, KnownTransaction.IdBytesMax, 1, plan.RecentTransactionsMax, undo);
        all.Add(Waiting);
        if (plan.FindsRepeats)
        {
            (Answered, Answers, Answerers) = AnswerTables(plan, all.Count, undo);
            all.AddRange([Answered, Answers, Answerers]);
        }

        tables = [.. all];
        runLengths = new long[plan.Entities.Length * LabelRuns.DaysMax];
        runLengthsAtBegin = new long[runLengths.Length];
        valueBuffer = new byte[Math.Max(8, plan.Entities.Max(entity => (int?)(entity.Shared?.Words * sizeof(long))) ?? 8)];
    }

    /// <summary>Number of the partition.</summary>
    public int Partition { get; }

    /// <summary>Latest event time seen, ms since 1970 UTC; <see cref="long.MinValue"/> before the first.</summary>
    public long WatermarkMs { get; private set; } = long.MinValue;

    /// <summary>The watermark up to <see cref="Begin"/>, or the present one where changes are not logged: no event before it is processed once more.</summary>
    public long WatermarkKeptMs => undo.IsActive ? watermarkAtBegin : WatermarkMs;

    /// <summary>What was met so far.</summary>
    public ref readonly StateCounters Counters => ref counters;

    /// <summary>What was met up to <see cref="Begin"/>, or so far where changes are not logged.</summary>
    public ref readonly StateCounters CountersKept => ref undo.IsActive ? ref countersAtBegin : ref counters;

    /// <summary>Labels that wait for their transaction now.</summary>
    public int LabelsWaiting => Waiting.Count;

    /// <summary>Bytes of records, tables and undo log.</summary>
    public long Bytes => tables.Sum(table => table.Bytes) + undo.Bytes;

    internal FeaturePlan Plan { get; }

    internal RecordTable Transactions { get; }

    internal RecordTable Waiting { get; }

    internal ref StateCounters CountersToChange => ref counters;

    private StateCounters counters;

    /// <summary>Keys of an entity (of a shared one: keys times panes) held now.</summary>
    public int KeyCount(int entityOrdinal) => tables[entityOrdinal].Count;

    /// <summary>Starts to log changes.</summary>
    /// <exception cref="InvalidOperationException">A transaction is open.</exception>
    public void Begin()
    {
        if (undo.IsActive)
        {
            throw new InvalidOperationException("the state is in a transaction already");
        }

        undo.Begin();
        queue.Begin();
        watermarkAtBegin = WatermarkMs;
        countersAtBegin = counters;
        runLengths.CopyTo(runLengthsAtBegin, 0);
    }

    /// <summary>Keeps what has changed since <see cref="Begin"/>.</summary>
    public void Commit()
    {
        undo.End();
        queue.Commit();
    }

    /// <summary>Takes back what has changed since <see cref="Begin"/>, contributions and counters included.</summary>
    /// <param name="restored">Told each contribution that had changed, as it is again; zeros where there was none.</param>
    public void Rollback(ContributionWriter? restored = null)
    {
        List<(int Table, byte[] Key)>? touched = restored is null ? null : SharedChanges();
        undo.Rollback(tables);
        queue.Rollback();
        forgotten.Clear();
        if (Shape != 0)
        {
            DiscardWritten();
        }

        WatermarkMs = watermarkAtBegin;
        counters = countersAtBegin;
        runLengthsAtBegin.CopyTo(runLengths, 0);
        foreach (var (table, key) in touched ?? [])
        {
            int index = tables[table].Find(key, RecordTable.Tag(key));
            restored!(
                ContributionCodec.WritePaneKey(keyBuffer, Partition, Plan.Entities[table], PaneOf(key), key.AsSpan(sizeof(long))),
                ContributionCodec.WriteWords(valueBuffer, index < 0 ? new long[Plan.Entities[table].Shared!.Words] : tables[table].Read(index)[1..]));
        }
    }

    /// <summary>Moves the watermark on to an event that is next, before it is processed: then other partitions need not wait for one that waits.</summary>
    public void AdvanceWatermark(long eventTimeMs) => WatermarkMs = Math.Max(WatermarkMs, eventTimeMs);

    /// <summary>Visits each record changed since <see cref="Begin"/>, once.</summary>
    public void VisitChanges(ChangedRecordVisitor visit)
    {
        var seen = new HashSet<(int, int)>();
        undo.VisitChanged(tables, (table, index) =>
        {
            if (seen.Add((table, index)) && tables[table].IsLive(index))
            {
                visit(table, tables[table].Key(index), MemoryMarshal.AsBytes(tables[table].Whole(index)));
            }
        });
        undo.VisitRemoved(tables, (table, key) =>
        {
            if (tables[table].Find(key, RecordTable.Tag(key)) < 0)
            {
                visit(table, key, []);
            }
        });
    }

    /// <summary>Writes what this partition has contributed to shared entities since the last time, and its watermark: for every other partition to read.</summary>
    /// <remarks>Counters are cumulative: the last record of a key is the whole truth. A rollback makes drained contributions due again.</remarks>
    public void DrainContributions(ContributionWriter write)
    {
        foreach (var (table, index) in queue.Changed)
        {
            var records = tables[table];
            if (!records.IsLive(index) || records.Read(index)[0] == 0)
            {
                continue;   // expired since, or here a second time
            }

            var payload = records.Write(index);
            payload[0] = 0;
            var key = records.Key(index);
            write(
                ContributionCodec.WritePaneKey(keyBuffer, Partition, Plan.Entities[table], PaneOf(key), key[sizeof(long)..]),
                ContributionCodec.WriteWords(valueBuffer, payload[1..]));
        }

        for (var left = queue.Expired; !left.IsEmpty;)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(left);
            write(left.Slice(2, length), []);
            left = left[(2 + length)..];
        }

        queue.Drained();
        if (!undo.IsActive)
        {
            queue.Commit();
        }

        Span<long> watermark = [WatermarkMs];
        write(ContributionCodec.WriteWatermarkKey(keyBuffer, Partition), ContributionCodec.WriteWords(valueBuffer, watermark));
    }

    /// <summary>Hash of everything that can influence a later result.</summary>
    public UInt128 Hash()
    {
        var hash = new XxHash128();
        hash.Append(MemoryMarshal.AsBytes<long>([WatermarkMs]));
        hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<StateCounters>(in counters)));
        hash.Append(MemoryMarshal.AsBytes<long>(runLengths));
        foreach (var table in tables)
        {
            for (int index = table.NextOlder(-1); index >= 0; index = table.NextOlder(index))
            {
                hash.Append(MemoryMarshal.AsBytes(table.Whole(index)));
            }

            hash.Append([0xFF]);
        }

        hash.Append(queue.Expired);
        return hash.GetCurrentHashAsUInt128();
    }

    /// <summary>Forgets everything; the memory is the garbage collector's.</summary>
    public void Dispose()
    {
        undo.End();
        Array.Clear(tables);
    }

    internal RecordTable Table(int entityOrdinal) => tables[entityOrdinal];

    internal Span<long> RunLengths(int entityOrdinal) => runLengths.AsSpan(entityOrdinal * LabelRuns.DaysMax, LabelRuns.DaysMax);

    /// <summary>The record of a local entity's key, as the one used last; made when it is not there.</summary>
    internal int Record(EntityPlan entity, ReadOnlySpan<byte> key)
    {
        var table = tables[entity.Ordinal];
        uint tag = RecordTable.Tag(key);
        int index = table.Find(key, tag);
        if (index >= 0)
        {
            table.Touch(index);
            return index;
        }

        MakeRoom(table, entity);
        counters.KeysAdded++;
        index = table.Add(key, tag);
        return index;
    }

    /// <summary>The counters of a shared entity's (key, pane), marked as changed when others must hear of it.</summary>
    internal Span<long> Contribution(EntityPlan entity, ReadOnlySpan<byte> key, long paneStartMs, bool announce)
    {
        var table = tables[entity.Ordinal];
        Span<byte> paneKey = stackalloc byte[sizeof(long) + key.Length];
        BinaryPrimitives.WriteInt64BigEndian(paneKey, paneStartMs);
        key.CopyTo(paneKey[sizeof(long)..]);
        uint tag = RecordTable.Tag(paneKey);
        int index = table.Find(paneKey, tag);
        if (index < 0)
        {
            MakeRoomForPane(table, entity, announce);
            index = table.Add(paneKey, tag);
        }

        var payload = table.Write(index);
        if (announce && payload[0] == 0)
        {
            payload[0] = 1;
            queue.AddChanged(entity.Ordinal, index);
        }

        return payload[1..];
    }

    private List<(int Table, byte[] Key)> SharedChanges()
    {
        var keys = new List<(int, byte[])>();
        VisitChanges((table, key, _) =>
        {
            if (table < Plan.Entities.Length && Plan.Entities[table].IsShared)
            {
                keys.Add((table, key.ToArray()));
            }
        });

        // A pane that came and went since leaves no record; but others may have been told of it.
        for (var left = queue.ExpiredSinceBegin; !left.IsEmpty;)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(left);
            keys.Add(ContributionCodec.ReadPaneKey(left.Slice(2, length)));
            left = left[(2 + length)..];
        }

        return keys;
    }

    private static long PaneOf(ReadOnlySpan<byte> paneKey) => BinaryPrimitives.ReadInt64BigEndian(paneKey);

    private void MakeRoom(RecordTable table, EntityPlan entity)
    {
        // Two go for one that comes, so that a burst of keys is worked off. The slack is for events that are late by as much.
        for (int i = 0; i < 2 && table.Oldest >= 0 && entity.RetentionMs != long.MaxValue; i++)
        {
            if (table.Read(table.Oldest)[EntityPlan.LastTime] >= WatermarkMs - SharedAggregates.SlackMs - entity.RetentionMs)
            {
                break;
            }

            table.Remove(table.Oldest);
            counters.KeysExpired++;
        }

        if (table.Count >= table.RecordsMax)
        {
            table.Remove(table.Oldest);
            counters.KeysEvicted++;
        }
    }

    private void MakeRoomForPane(RecordTable table, EntityPlan entity, bool announce)
    {
        for (int i = 0; i < 2 && table.Oldest >= 0; i++)
        {
            bool expired = PaneOf(table.Key(table.Oldest)) < WatermarkMs - SharedAggregates.SlackMs - entity.RetentionMs;
            if (!expired && table.Count < table.RecordsMax)
            {
                break;
            }

            if (announce)
            {
                var key = table.Key(table.Oldest);
                queue.AddExpired(ContributionCodec.WritePaneKey(keyBuffer, Partition, entity, PaneOf(key), key[sizeof(long)..]));
            }

            table.Remove(table.Oldest);
            counters.KeysExpired += expired ? 1 : 0;
            counters.KeysEvicted += expired ? 0 : 1;
        }
    }
}
