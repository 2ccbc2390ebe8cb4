using Confluent.Kafka;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Clients;

/// <summary>One partition that a consumer reads: where it is, and how far it has fetched.</summary>
internal sealed class Reading
{
    private readonly World world;
    private readonly Network network;
    private readonly SimulatedProcess process;
    private readonly Random random;
    private readonly Action arrived;
    private readonly Action grown;
    private long position;
    private long fetchedTo;
    private long emptyAt = -1;
    private long endToldAt = -1;
    private int version;
    private bool isFetching;
    private bool waitsForMore;

    /// <summary>Begins to read.</summary>
    public Reading(World world, Network network, SimulatedProcess process, Random random, PartitionLog log, long start, Action arrived)
    {
        this.world = world;
        this.network = network;
        this.process = process;
        this.random = random;
        this.arrived = arrived;
        grown = Grown;
        Log = log;
        log.Grown.Add(grown);
        Seek(start);
    }

    /// <summary>What is read.</summary>
    public PartitionLog Log { get; }

    /// <summary>Whether nothing is wanted of it for now.</summary>
    public bool IsPaused { get; set; }

    /// <summary>First offset and end, as the last fetch told them; null before.</summary>
    public WatermarkOffsets? Known { get; private set; }

    /// <summary>Goes elsewhere; what is on its way is thrown away.</summary>
    public void Seek(long offset)
    {
        position = offset == Offset.Beginning.Value ? Log.Start : offset;
        fetchedTo = position;
        emptyAt = endToldAt = -1;
        version++;
        (isFetching, waitsForMore) = (false, false);
    }

    /// <summary>Ends it.</summary>
    public void Close()
    {
        Log.Grown.Remove(grown);
        version++;
    }

    /// <summary>The next record, or the end, once for each offset at which it is met; else more is asked for.</summary>
    /// <param name="offset">Offset of the record, or of the end.</param>
    /// <param name="record">The record; null at the end.</param>
    public bool TryTake(out long offset, out LogRecord? record)
    {
        record = null;
        while (position < fetchedTo)
        {
            offset = position++;
            if (Log.IsGiven(offset, committedOnly: true))
            {
                record = Log[offset];
                return true;
            }
        }

        offset = position;
        if (emptyAt == position && endToldAt != position)
        {
            endToldAt = position;
            return true;
        }

        Fetch();
        return false;
    }

    private void Fetch()
    {
        if (isFetching || waitsForMore)
        {
            return;
        }

        isFetching = true;
        int mine = version;
        long late = network.ReadsLateBy(Log.Name.Topic);
        if (late > 0)
        {
            world.Trace(process.Name, $"{Log.Name} is read {late / World.Millisecond} ms late");
            world.At(world.Now + late, () => Ask(mine));
        }
        else
        {
            Ask(mine);
        }
    }

    private void Ask(int mine) => network.Deliver(process, () =>
    {
        if (mine == version)
        {
            network.Return(process, () => Take(mine));
        }
    });

    private void Take(int mine)
    {
        if (mine != version)
        {
            return;
        }

        isFetching = false;
        if (position < Log.Start || position > Log.End || network.IsSentBack(Log.Name.Topic))
        {
            world.Trace(process.Name, $"{Log.Name} is read from {Log.Start} instead of {position}");
            position = Log.Start; // auto.offset.reset
        }

        long stable = Math.Max(position, Log.StableEnd);
        fetchedTo = Math.Min(stable, position + random.Next(1, 60));
        Known = new WatermarkOffsets(Log.Start, Log.End);
        emptyAt = fetchedTo == position ? position : -1;
        waitsForMore = fetchedTo == position;
        arrived();
    }

    private void Grown()
    {
        if (process.IsDead)
        {
            Close();
        }
        else if (waitsForMore && Log.StableEnd > position)
        {
            waitsForMore = false;
            Fetch();
        }
    }
}
