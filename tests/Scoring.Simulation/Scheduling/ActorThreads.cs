namespace Scoring.Simulation.Scheduling;

/// <summary>Threads that are used again from history to history: one is started for each actor that lives at the same time as others, not for each restart.</summary>
internal sealed class ActorThreads : IDisposable
{
    private readonly Lock gate = new();
    private readonly Stack<Lender> idle = new();
    private bool isDisposed;

    /// <summary>Runs a body on a thread of its own.</summary>
    public void Run(Action body)
    {
        Lender? lender;
        lock (gate)
        {
            idle.TryPop(out lender);
        }

        (lender ?? new Lender(this)).Run(body);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            while (idle.TryPop(out var lender))
            {
                lender.End();
            }
        }
    }

    private void Return(Lender lender)
    {
        lock (gate)
        {
            if (isDisposed)
            {
                lender.End();
                return;
            }

            idle.Push(lender);
        }
    }

    private sealed class Lender
    {
        private readonly Turn begin = new();
        private Action? body;

        public Lender(ActorThreads pool) => new Thread(() =>
        {
            for (begin.Await(); body is { } job; begin.Await())
            {
                body = null;
                job();
                pool.Return(this);
            }
        })
        { IsBackground = true, Name = "actor" }.Start();

        public void Run(Action job)
        {
            body = job;
            begin.Give();
        }

        public void End() => begin.Give();
    }
}
