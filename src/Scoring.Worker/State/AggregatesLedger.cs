using System.Collections.Concurrent;
using Scoring.Models.Features;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.State;

/// <summary>The process's one copy of what partitions have told each other, and who may write it.</summary>
/// <remarks>
/// <para>Lanes read the values without asking (sequence locks inside); every write takes the gate here.</para>
/// <para>A partition that this process owns is written by its lane, at once; its records that come back from Kafka are
/// echoes and may be older than what is known, so they are left out. When the lane has given it up, the reader goes back to
/// where it stood at the lane's last commit, or, without one, before the lane asked where to go on: what comes from there on may be another owner's.</para>
/// <para>A lane that was stuck may not know that a partition has gone, and come back to another lane of this process: what it says under an older
/// assignment is passed over.</para>
/// <para>What a lane says before its commit may be taken back, and others may have read it by then. The rows are computed once more, by this
/// lane or by another owner, and on the way there sums are smaller than those that were told. So from the taking back on they are
/// held, and take the place of what was told when the partition is as far again as it was told to be.</para>
/// </remarks>
internal class AggregatesLedger : IDisposable
{
    private static readonly TimeSpan StoodStill = KafkaClients.SessionTimeout / 2;

    private readonly SharedAggregates shared;
    private readonly Lock gate = new();
    private readonly SourcePartition[] sources;
    private readonly long[] received;
    private readonly long[] former;
    private readonly long[] positions;
    private readonly ConcurrentQueue<int> given = new();
    private readonly ManualResetEventSlim moved = new(initialState: false);
    private bool keepsAll = true;
    private int doubts;
    private long beatAt;

    /// <summary>Nothing told yet; every pane that is read from the topic is kept until a partition of this process runs.</summary>
    public AggregatesLedger(SharedAggregates shared, int partitionCount)
    {
        this.shared = shared;
        sources = new SourcePartition[partitionCount];
        received = new long[partitionCount];
        former = new long[partitionCount];
        positions = new long[partitionCount];
        received.AsSpan().Fill(long.MinValue);
        former.AsSpan().Fill(long.MinValue);
        for (int partition = 0; partition < partitionCount; partition++)
        {
            sources[partition] = new SourcePartition(partition, shared);
            shared.SetReading(partition, long.MinValue);
        }
    }

    /// <summary>What features read.</summary>
    public SharedAggregates Shared => shared;

    /// <summary>Event time that every partition with traffic has reached, ms since 1970 UTC.</summary>
    public long MinWatermarkMs => shared.MinWatermarkMs;

    /// <summary>How often the process stood still: each time every lane says anew which of its partitions are silent.</summary>
    public int Doubts => Volatile.Read(ref doubts);

    /// <summary>Newest watermark of a partition that stands on the topic: contributions up to it are published.</summary>
    public long ReceivedWatermarkMs(int partition) => Volatile.Read(ref received[partition]);

    /// <summary>Newest watermark that stood on the topic when the partition was assigned: its former owners', and of none that goes on meanwhile.</summary>
    public long FormerWatermarkMs(int partition) => Volatile.Read(ref former[partition]);

    /// <summary>Offset up to which the reader has come, or from which on it is about to read again.</summary>
    public long Position(int partition) => Volatile.Read(ref positions[partition]);

    /// <summary>Takes a record from the topic; the reader's call.</summary>
    public void Receive(int partition, long offset, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        lock (gate)
        {
            var source = sources[partition];
            if (source.IsToBeRead)
            {
                return; // It comes again.
            }

            bool isMark = ContributionMark.TryRead(key, value, out long watermarkMs, out bool isIdle);
            if (isMark)
            {
                Volatile.Write(ref received[partition], Math.Max(received[partition], watermarkMs));
                if (offset < source.FormerEnd)
                {
                    Volatile.Write(ref former[partition], received[partition]);
                }
            }

            if (!source.IsOwned)
            {
                source.Take(key, value);
                if (isMark && offset >= source.OwnedFrom) // One before that was heard already, and is not the newest.
                {
                    shared.SetIdle(partition, isIdle);
                    if (source is { IsMoving: true, IsAssigned: false, IsHeld: false })
                    {
                        source.IsMoving = false;
                        shared.SetReading(partition, keepsAll ? long.MinValue : long.MaxValue); // Another process speaks for it now.
                    }
                }
            }

            Volatile.Write(ref positions[partition], offset + 1);
        }

        moved.Set();
    }

    /// <summary>Says that the reader stands at the end of a partition.</summary>
    public void ReachedEnd(int partition, long offset)
    {
        lock (gate)
        {
            if (!sources[partition].IsToBeRead)
            {
                Volatile.Write(ref positions[partition], Math.Max(positions[partition], offset));
            }
        }
    }

    /// <summary>A partition that the reader has to go back in, and to where; it says so before it receives from there.</summary>
    public bool TryReread(out int partition, out long offset)
    {
        offset = 0;
        if (!given.TryDequeue(out partition))
        {
            return false;
        }

        lock (gate)
        {
            sources[partition].IsToBeRead = false;
            offset = positions[partition];
            return true;
        }
    }

    /// <summary>A lane of this process has been given the partition; from where on it reads is not known yet.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="formerEnd">Where its records end: those before are its former owners'.</param>
    /// <returns>Names the assignment in all that the lane says of the partition.</returns>
    public long Assign(int partition, long formerEnd)
    {
        lock (gate)
        {
            var source = sources[partition];
            source.FormerEnd = formerEnd;
            Volatile.Write(ref former[partition], received[partition]);
            source.IsAssigned = true;
            source.IsMoving = false;
            Release(partition); // A lane that has not given it up yet does so too late to matter.
            shared.SetReading(partition, long.MinValue);
            return ++source.Assignment;
        }
    }

    /// <summary>The partition answers rows, none of them before this event time but late ones.</summary>
    public void Reading(int partition, long timeMs)
    {
        shared.SetReading(partition, timeMs);
        if (!Volatile.Read(ref keepsAll))
        {
            return;
        }

        lock (gate)
        {
            for (int other = 0; other < sources.Length; other++)
            {
                if (sources[other] is { IsAssigned: false, IsMoving: false })
                {
                    shared.SetReading(other, long.MaxValue);
                }
            }

            Volatile.Write(ref keepsAll, false);
        }
    }

    /// <summary>From now on a lane of this process writes the partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="assignment">The lane's.</param>
    /// <param name="readBefore">How far the topic was read before the lane asked where to go on. What stands behind that may be of an owner that the lane does not know of, and of rows that the lane has not
    /// committed: taking its own back must not take that back. So it is read once more when the lane gives the partition up before it has committed.</param>
    public void Own(int partition, long assignment, long readBefore)
    {
        lock (gate)
        {
            if (Current(partition, assignment) is { } source)
            {
                source.IsOwned = true;
                source.OwnedFrom = positions[partition];
                source.SettledPosition = Math.Min(readBefore, positions[partition]);
            }
        }
    }

    /// <summary>The lane that owns a partition has committed: up to where the reader stood when it began to, the topic has its records alone.</summary>
    public void Settle(int partition, long assignment, long position)
    {
        lock (gate)
        {
            if (Current(partition, assignment) is { } source)
            {
                source.SettledPosition = Math.Max(source.SettledPosition, position);
            }
        }
    }

    /// <summary>What an owned partition has said since its last commit is taken back: its sums are held until it is as far again.</summary>
    public void TakeBack(int partition, long assignment)
    {
        lock (gate)
        {
            if (Current(partition, assignment) is { } source)
            {
                source.IsHeld = true;
            }
        }
    }

    /// <summary>The partition has left its lane. Until another process speaks for it, it may come to another lane here: what it reads is kept.</summary>
    public void GiveUp(int partition, long assignment)
    {
        lock (gate)
        {
            if (Current(partition, assignment) is { } source)
            {
                source.IsAssigned = false;
                source.IsMoving = true;
                Release(partition);
            }
        }
    }

    /// <summary>Says that the process runs. If nobody has for half of a member's session, its partitions may be others': that one was silent means nothing until its lane says so again.</summary>
    /// <param name="clock">Measures the time since the last call.</param>
    public void Beat(TimeProvider clock)
    {
        long now = clock.GetTimestamp();
        long last = Interlocked.Exchange(ref beatAt, now);
        if (last == 0 || clock.GetElapsedTime(last, now) <= StoodStill)
        {
            return;
        }

        lock (gate)
        {
            for (int partition = 0; partition < sources.Length; partition++)
            {
                if (sources[partition].IsOwned)
                {
                    shared.SetIdle(partition, isIdle: false);
                }
            }

            Volatile.Write(ref doubts, doubts + 1);
        }
    }

    /// <summary>Takes a contribution of an owned partition, or, after them, its watermark.</summary>
    public void Apply(int partition, long assignment, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        lock (gate)
        {
            if (Current(partition, assignment) is { } source)
            {
                source.Take(key, value);
            }
        }
    }

    /// <summary>Says how far an owned partition is: everything it gave to panes that end at or before this time is applied.</summary>
    public void Announce(int partition, long assignment, long watermarkMs, bool isIdle)
    {
        lock (gate)
        {
            if (Current(partition, assignment) is { } source)
            {
                source.Tell(watermarkMs);
                shared.SetIdle(partition, isIdle);
            }
        }

        moved.Set();
    }

    /// <summary>Waits until something was announced or received, or a millisecond is over.</summary>
    public virtual void WaitForNews()
    {
        moved.Wait(millisecondsTimeout: 1);
        moved.Reset();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        moved.Dispose();
        GC.SuppressFinalize(this);
    }

    // Null for a lane that has not heard yet that the partition has gone.
    private SourcePartition? Current(int partition, long assignment) => sources[partition].Assignment == assignment ? sources[partition] : null;

    // From now on the topic tells, from where its records may be another owner's.
    private void Release(int partition)
    {
        var source = sources[partition];
        if (!source.IsOwned)
        {
            return;
        }

        source.IsOwned = false;
        source.IsHeld = true;
        if (positions[partition] > source.SettledPosition)
        {
            source.IsToBeRead = true;
            Volatile.Write(ref positions[partition], source.SettledPosition);
            given.Enqueue(partition);
        }
    }
}
