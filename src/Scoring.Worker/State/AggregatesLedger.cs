using Scoring.Models.Features;

namespace Scoring.Worker.State;

/// <summary>The process's one copy of what partitions have told each other, and who may write it.</summary>
/// <remarks>
/// <para>Lanes read the values without asking (sequence locks inside); every write takes the gate here.</para>
/// <para>A partition that this process owns is written by its lane, at once; its records that come back from Kafka are
/// echoes and may be older than what is known, so they are left out until the lane has given it up.</para>
/// </remarks>
internal sealed class AggregatesLedger : IDisposable
{
    private readonly SharedAggregates shared;
    private readonly Lock gate = new();
    private readonly long[] received;
    private readonly long[] echoesTo;
    private readonly long[] positions;
    private readonly bool[] isAssigned;
    private readonly bool[] isMoving;
    private readonly ManualResetEventSlim moved = new(initialState: false);
    private bool keepsAll = true;

    /// <summary>Nothing told yet; every pane that is read from the topic is kept until a partition of this process runs.</summary>
    public AggregatesLedger(SharedAggregates shared, int partitionCount)
    {
        this.shared = shared;
        received = Filled(partitionCount, long.MinValue);
        echoesTo = Filled(partitionCount, -1L);
        positions = new long[partitionCount];
        isAssigned = new bool[partitionCount];
        isMoving = new bool[partitionCount];
        for (int partition = 0; partition < partitionCount; partition++)
        {
            shared.SetReading(partition, long.MinValue);
        }
    }

    /// <summary>What features read.</summary>
    public SharedAggregates Shared => shared;

    /// <summary>Event time that every partition with traffic has reached, ms since 1970 UTC.</summary>
    public long MinWatermarkMs => shared.MinWatermarkMs;

    /// <summary>Newest watermark of a partition that stands on the topic: contributions up to it are published.</summary>
    public long ReceivedWatermarkMs(int partition) => Volatile.Read(ref received[partition]);

    /// <summary>Offset up to which the reader has come.</summary>
    public long Position(int partition) => Volatile.Read(ref positions[partition]);

    /// <summary>Takes a record from the topic; the reader's call.</summary>
    public void Receive(int partition, long offset, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        lock (gate)
        {
            bool isMark = ContributionMark.TryRead(key, value, out long watermarkMs, out bool isIdle);
            if (isMark)
            {
                Volatile.Write(ref received[partition], Math.Max(received[partition], watermarkMs));
            }

            if (offset > echoesTo[partition])
            {
                if (isMark)
                {
                    shared.SetWatermark(partition, watermarkMs);
                    shared.SetIdle(partition, isIdle);
                    if (isMoving[partition] && !isAssigned[partition])
                    {
                        isMoving[partition] = false;
                        shared.SetReading(partition, keepsAll ? long.MinValue : long.MaxValue); // Another process speaks for it now.
                    }
                }
                else
                {
                    shared.Apply(partition, key, value);
                }
            }

            Volatile.Write(ref positions[partition], offset + 1);
        }

        moved.Set();
    }

    /// <summary>Says that the reader stands at the end of a partition.</summary>
    public void ReachedEnd(int partition, long offset) => Volatile.Write(ref positions[partition], Math.Max(positions[partition], offset));

    /// <summary>A lane of this process has been given the partition; from where on it reads is not known yet.</summary>
    public void Assign(int partition)
    {
        lock (gate)
        {
            isAssigned[partition] = true;
            isMoving[partition] = false;
            shared.SetReading(partition, long.MinValue);
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
            for (int other = 0; other < isAssigned.Length; other++)
            {
                if (!isAssigned[other] && !isMoving[other])
                {
                    shared.SetReading(other, long.MaxValue);
                }
            }

            Volatile.Write(ref keepsAll, false);
        }
    }

    /// <summary>From now on a lane of this process writes the partition.</summary>
    public void Own(int partition)
    {
        lock (gate)
        {
            echoesTo[partition] = long.MaxValue;
        }
    }

    /// <summary>The partition has left its lane. Until another process speaks for it, it may come to another lane here: what it reads is kept.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="lastOffset">Of our last acknowledged record; later ones are the new owner's.</param>
    public void GiveUp(int partition, long lastOffset)
    {
        lock (gate)
        {
            isAssigned[partition] = false;
            isMoving[partition] = true;
            if (echoesTo[partition] == long.MaxValue)
            {
                echoesTo[partition] = lastOffset;
            }
        }
    }

    /// <summary>Takes a contribution of an owned partition.</summary>
    public void Apply(int partition, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        lock (gate)
        {
            shared.Apply(partition, key, value);
        }
    }

    /// <summary>Says how far an owned partition is: everything it gave to panes that end at or before this time is applied.</summary>
    public void Announce(int partition, long watermarkMs, bool isIdle)
    {
        lock (gate)
        {
            shared.SetWatermark(partition, watermarkMs);
            shared.SetIdle(partition, isIdle);
        }

        moved.Set();
    }

    /// <summary>Waits until something was announced or received, or a millisecond is over.</summary>
    public void WaitForNews()
    {
        moved.Wait(millisecondsTimeout: 1);
        moved.Reset();
    }

    /// <inheritdoc/>
    public void Dispose() => moved.Dispose();

    private static long[] Filled(int count, long value)
    {
        long[] array = new long[count];
        Array.Fill(array, value);
        return array;
    }
}
