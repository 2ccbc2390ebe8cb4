using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace Scoring.Simulation.Scheduling;

/// <summary>The clock of a history, what is due in it, and who may run: one actor at a time, chosen by time alone.</summary>
/// <remarks>
/// Actors are threads, so that the worker's code runs as it is and can be stopped in the middle of any call of a client; but exactly one holds the turn, and which
/// one gets it next depends on the clock of the history and on nothing else. So a seed is a history.
/// </remarks>
internal sealed class World
{
    /// <summary>Ticks of a millisecond.</summary>
    public const long Millisecond = TimeSpan.TicksPerMillisecond;

    /// <summary>Ticks of a second.</summary>
    public const long Second = TimeSpan.TicksPerSecond;

    private const int LooksMax = 2_000;

    private readonly PriorityQueue<Action, (long Time, long Number)> due = new();
    private readonly List<Actor> actors = [];
    private readonly ActorThreads threads;
    private readonly XxHash64 hash = new();
    private readonly TextWriter? trace;
    private long eventNumber;
    private int actorNumber;
    private int looks;
    private Actor current;

    /// <summary>Begins at 0 with the caller's thread as the only actor.</summary>
    /// <param name="threads">Lends threads.</param>
    /// <param name="trace">Receives a line for each event; null for none.</param>
    public World(ActorThreads threads, TextWriter? trace)
    {
        this.threads = threads;
        this.trace = trace;
        current = new Actor("history", process: null, threads.Caller, actorNumber++);
        actors.Add(current);
    }

    /// <summary>Whether threads that wait get their turns late.</summary>
    public bool ThreadsAreLate { get; init; }

    /// <summary>Time since the beginning, ticks of 100 ns.</summary>
    public long Now { get; private set; }

    /// <summary>What an actor threw that nobody expected.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Events noted so far.</summary>
    public long Events { get; private set; }

    /// <summary>Of everything that has happened, in its order.</summary>
    public ulong Hash => hash.GetCurrentHashAsUInt64();

    /// <summary>Does something at a time; now, if that is over.</summary>
    public void At(long time, Action action) => due.Enqueue(action, (Math.Max(time, Now), eventNumber++));

    /// <summary>Notes what happens.</summary>
    public void Trace(string who, string what)
    {
        Events++;
        Span<byte> bytes = stackalloc byte[512];
        BitConverter.TryWriteBytes(bytes, Now);
        int length = sizeof(long) + Encoding.UTF8.GetBytes(who.AsSpan(0, Math.Min(who.Length, 40)), bytes[sizeof(long)..]);
        length += Encoding.UTF8.GetBytes(what.AsSpan(0, Math.Min(what.Length, 100)), bytes[length..]);
        hash.Append(bytes[..length]);
        Print(who, what);
    }

    /// <summary>Says something to who reads the trace; it is no event.</summary>
    public void Print(string who, string what) => trace?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Now / (double)Second,11:F4} {who,-12} {what}"));

    /// <summary>Whether somebody reads the trace: else nobody need make its words.</summary>
    public bool IsTraced => trace is not null;

    /// <summary>Starts a thread of a process.</summary>
    public Actor Start(string name, SimulatedProcess process, Action body)
    {
        Actor actor = null!;
        actor = new Actor(name, process, threads.Lend(Live), actorNumber++) { WakeAt = Now };
        actors.Add(actor);
        return actor;

        void Live()
        {
            try
            {
                body();
            }
            catch (ProcessKilledException)
            {
                // Dead.
            }
            catch (Exception failure) // The actor's edge: what the simulated worker does not expect itself.
            {
                Failure ??= failure;
            }

            actor.IsDone = true;
            actors.Remove(actor);
            HandOver();
        }
    }

    /// <summary>The actor that runs waits until a time, or until it is woken.</summary>
    /// <exception cref="ProcessKilledException">Its process is dead.</exception>
    public void Park(long until)
    {
        looks = 0;
        var me = current;
        me.Process?.ThrowIfDead();
        me.WakeAt = Math.Max(until, Now);
        var next = Next();
        if (next != me)
        {
            current = next;
            next.Give();
            me.AwaitTurn();
        }

        me.Process?.ThrowIfDead();
    }

    /// <summary>Wakes an actor that waits.</summary>
    public void Wake(Actor actor) => actor.WakeAt = Math.Min(actor.WakeAt, Now);

    /// <summary>Wakes all actors of a process.</summary>
    public void WakeAll(SimulatedProcess process)
    {
        foreach (var actor in actors)
        {
            if (actor.Process == process)
            {
                Wake(actor);
            }
        }
    }

    /// <summary>The actor that runs.</summary>
    public Actor Current => current;

    /// <summary>Time that computing takes: a microsecond for each look at the clock. Who only looks, again and again, lets others go on.</summary>
    public long Look()
    {
        Now += TimeSpan.TicksPerMicrosecond;
        if (++looks > LooksMax)
        {
            Park(Now + Millisecond);
            looks = LooksMax / 2;
        }

        return Now;
    }

    private void HandOver()
    {
        looks = 0;
        current = Next();
        current.Give();
    }

    /// <summary>Does what is due until an actor's turn has come.</summary>
    private Actor Next()
    {
        while (true)
        {
            var next = actors[0];
            foreach (var actor in actors)
            {
                if (actor.DueAt < next.DueAt)
                {
                    next = actor;
                }
            }

            if (!due.TryPeek(out _, out var at) || at.Time > next.DueAt)
            {
                Now = Math.Max(Now, next.DueAt);
                return next;
            }

            Now = Math.Max(Now, at.Time);
            due.Dequeue()();
        }
    }
}
