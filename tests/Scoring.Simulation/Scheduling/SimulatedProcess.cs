namespace Scoring.Simulation.Scheduling;

/// <summary>One run of a worker: from its start to its end or its death. What it has sent before it died still arrives.</summary>
/// <param name="world">Where it lives.</param>
/// <param name="name">For the trace.</param>
internal sealed class SimulatedProcess(World world, string name)
{
    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>Whether it was killed: each call it makes throws, and changes nothing any more.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Until when none of its threads runs, ticks of the world; in the past for one that is awake.</summary>
    public long FrozenUntil { get; private set; }

    /// <summary>Kills it before this many more calls of a client; 0 for never.</summary>
    public int CallsLeft { get; set; }

    /// <summary>Called when it has died.</summary>
    public Action? WhenDead { get; set; }

    /// <summary>Stops it for a while, as SIGSTOP or a machine that pauses.</summary>
    public void Freeze(long until) => FrozenUntil = Math.Max(FrozenUntil, until);

    /// <summary>Kills it: its threads unwind at their next call, without any effect.</summary>
    public void Kill()
    {
        if (!IsDead)
        {
            IsDead = true;
            world.Trace(Name, "dies");
            world.WakeAll(this);
            WhenDead?.Invoke();
        }
    }

    /// <summary>A client is called.</summary>
    /// <exception cref="ProcessKilledException">The process is dead, or dies here.</exception>
    public void Enter(string call)
    {
        if (!IsDead && CallsLeft > 0 && --CallsLeft == 0)
        {
            world.Trace(Name, "killed at " + call);
            Kill();
        }

        ThrowIfDead();
    }

    /// <summary>Ends what a dead process does.</summary>
    public void ThrowIfDead()
    {
        if (IsDead)
        {
            throw new ProcessKilledException();
        }
    }

    /// <summary>Does something in the name of the process: never when it is dead, later when it is frozen.</summary>
    public void Defer(Action action)
    {
        if (IsDead)
        {
            return;
        }

        if (FrozenUntil > world.Now)
        {
            world.At(FrozenUntil, () => Defer(action));
            return;
        }

        action();
    }
}

