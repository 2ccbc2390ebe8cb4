using Confluent.Kafka;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Clients;

/// <summary>Between clients and broker: requests take time, get lost, arrive twice or late.</summary>
/// <param name="world">The clock.</param>
/// <param name="random">Decides each request's fate.</param>
/// <param name="faults">How often what happens.</param>
internal sealed class Network(World world, Random random, NetworkFaults faults)
{
    private static readonly long SocketTimeout = 6 * World.Second;

    private readonly Dictionary<SimulatedProcess, long> cuts = [];
    private long heldUntil;

    /// <summary>Topics whose readers may be sent back.</summary>
    public IReadOnlyCollection<string> Inputs { get; init; } = [];

    /// <summary>Whether nothing goes wrong any more.</summary>
    public bool IsHealed { get; set; }

    /// <summary>The broker stands still: what is asked meanwhile it answers afterwards.</summary>
    public void Hold(long until) => heldUntil = Math.Max(heldUntil, until);

    /// <summary>Nothing of a process gets through; then what was held back arrives.</summary>
    public void Cut(SimulatedProcess process, long until) => cuts[process] = until;

    /// <summary>Sends a request.</summary>
    /// <param name="process">Who asks.</param>
    /// <param name="kind">What.</param>
    /// <param name="handle">What the broker does when it arrives.</param>
    /// <param name="refuse">What it says when it does not.</param>
    /// <param name="reply">Receives the answer.</param>
    /// <param name="broken">Called instead when the connection breaks, or nothing comes: whether it was done is open.</param>
    public void Ask<T>(SimulatedProcess process, RequestKind kind, Func<T> handle, Func<ErrorCode, T> refuse, Action<T> reply, Action broken)
    {
        bool isOver = false;
        long sent = world.Now;
        switch (Fate(kind))
        {
            case 1:
                Arrive(Delay() + (long)(Math.Pow(random.NextDouble(), 3) * 4 * World.Second));
                break;
            case 2:
                var code = Refusals.Draw(kind, random);
                world.Trace(process.Name, $"{kind} refused: {code}");
                bool isDone = kind == RequestKind.EndTxn && code == ErrorCode.Unknown && random.Next(2) == 0;
                world.At(sent + Delay(), () =>
                {
                    if (isDone)
                    {
                        handle();
                    }

                    world.At(world.Now + Delay(), () => Over(() => reply(refuse(code))));
                });
                break;
            case 3:
                world.Trace(process.Name, $"{kind} lost");
                world.At(sent + Break(), () => Over(broken));
                break;
            case 4:
                world.Trace(process.Name, $"{kind} answer lost");
                world.At(sent + Delay(), () => handle());
                world.At(sent + (5 * World.Millisecond) + Break(), () => Over(broken));
                break;
            case 5:
                long late = (100 * World.Millisecond) + (long)(random.NextDouble() * 3 * World.Second);
                world.Trace(process.Name, $"{kind} comes late");
                world.At(sent + Break(), () => Over(broken));
                world.At(sent + late, () => handle());
                break;
            default:
                Arrive(Delay());
                break;
        }

        void Arrive(long after) => world.At(sent + after, () =>
        {
            long free = FreeAt(process);
            if (free > world.Now)
            {
                if (free > sent + SocketTimeout)
                {
                    world.At(sent + SocketTimeout, () => Over(broken));
                }

                Arrive(free - sent + Delay());
                return;
            }

            var answer = handle();
            world.At(world.Now + Delay(), () => Over(() => reply(answer)));
        });

        void Over(Action what)
        {
            if (!isOver)
            {
                isOver = true;
                process.Defer(what);
            }
        }
    }

    /// <summary>Does something at the broker as soon as the network lets it.</summary>
    public void Deliver(SimulatedProcess process, Action there) => world.At(world.Now + Delay(), () =>
    {
        if (FreeAt(process) is var free && free > world.Now)
        {
            world.At(free, () => Deliver(process, there));
            return;
        }

        there();
    });

    /// <summary>Brings an answer that was waited for.</summary>
    public void Return(SimulatedProcess process, Action here) => world.At(Math.Max(world.Now, FreeAt(process)) + Delay(), () => process.Defer(here));

    /// <summary>Asks and waits for the answer, again and again within a bound.</summary>
    /// <returns>False when none came.</returns>
    public bool TryCall<T>(SimulatedProcess process, Func<T> handle, TimeSpan bound, out T? answer)
    {
        var me = world.Current;
        long deadline = world.Now + bound.Ticks;
        (bool isThere, T? value) = (false, default);
        Try();
        while (!isThere && world.Now < deadline)
        {
            world.Park(deadline);
        }

        answer = value;
        return isThere;

        void Try() => Ask(
            process,
            RequestKind.Other,
            handle,
            _ => throw new InvalidOperationException("a question is not refused"),
            told =>
            {
                (isThere, value) = (true, told);
                world.Wake(me);
            },
            () => world.At(world.Now + (100 * World.Millisecond), () => process.Defer(() =>
            {
                if (!isThere && world.Now < deadline)
                {
                    Try();
                }
            })));
    }

    /// <summary>For how long the broker of a reader's partition stands still before it is asked, in the clock's unit.</summary>
    public long ReadsLateBy(string topic) =>
        faults.LateReads > 0 && !IsHealed && Inputs.Contains(topic) && random.NextDouble() < faults.LateReads ? (long)(random.NextDouble() * 4 * World.Second) : 0;

    /// <summary>Whether the broker takes a reader's position for one beyond the end.</summary>
    public bool IsSentBack(string topic) => faults.SentBack > 0 && !IsHealed && Inputs.Contains(topic) && random.NextDouble() < faults.SentBack;

    /// <summary>When something of a process gets through again; in the past where it does now.</summary>
    public long FreeAt(SimulatedProcess process) => Math.Max(heldUntil, cuts.GetValueOrDefault(process));

    private long Delay() => (long)((0.1 + (random.NextDouble() * random.NextDouble() * 4)) * World.Millisecond);

    private long Break() => (long)(random.NextDouble() * 100 * World.Millisecond);

    private int Fate(RequestKind kind)
    {
        if (IsHealed)
        {
            return 0;
        }

        double draw = random.NextDouble();
        if ((draw -= faults.Slow) < 0)
        {
            return 1;
        }

        if (kind == RequestKind.Other)
        {
            return 0;
        }

        if ((draw -= faults.Refused) < 0)
        {
            return 2;
        }

        if ((draw -= faults.Lost) < 0)
        {
            return 3;
        }

        if ((draw -= faults.AnswerLost) < 0)
        {
            return 4;
        }

        return draw - faults.Late < 0 ? 5 : 0;
    }
}
