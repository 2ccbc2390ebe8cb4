namespace Scoring.Simulation.Scheduling;

/// <summary>Threads that are used again from history to history: one is started for each actor that lives at the same time as others, not for each restart.</summary>
/// <remarks>Of the actors of a history one runs, so they lose nothing by one processor for all of them: handing over to a thread of the same processor takes less time.</remarks>
/// <param name="processor">Number of the processor that they keep to, modulo those there are; null for any.</param>
internal sealed class ActorThreads(int? processor = null) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Stack<Lender> idle = new();
    private bool isDisposed;

    /// <summary>The turn of the thread that runs the history itself.</summary>
    public Turn Caller { get; } = new();

    /// <summary>Has a thread run a body.</summary>
    /// <returns>It begins when this is given.</returns>
    public Turn Lend(Action body)
    {
        Lender? lender;
        lock (gate)
        {
            idle.TryPop(out lender);
        }

        lender ??= new Lender(this);
        lender.Body = body;
        return lender.Turn;
    }

    /// <summary>Has the calling thread keep to their processor.</summary>
    public void KeepToProcessor()
    {
        if (processor is { } number)
        {
            Processor.KeepTo(number);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            while (idle.TryPop(out var lender))
            {
                lender.Turn.Give(); // Without a body it ends.
            }
        }

        Caller.Dispose();
    }

    /// <summary>Keeps a thread for the next who wants one; false when none will.</summary>
    private bool TryKeep(Lender lender)
    {
        lock (gate)
        {
            if (!isDisposed)
            {
                idle.Push(lender);
            }

            return !isDisposed;
        }
    }

    private sealed class Lender
    {
        public Lender(ActorThreads pool) => new Thread(() =>
        {
            pool.KeepToProcessor();
            for (Turn.Await(); Body is { } job; Turn.Await())
            {
                Body = null;
                job();
                if (!pool.TryKeep(this))
                {
                    break;
                }
            }

            Turn.Dispose();
        })
        { IsBackground = true, Name = "actor" }.Start();

        public Turn Turn { get; } = new();

        public Action? Body { get; set; }
    }
}
