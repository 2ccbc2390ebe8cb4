namespace Scoring.Simulation.Scheduling;

/// <summary>One thread of the simulated system. Of all actors of a world one runs; it hands over when it waits.</summary>
/// <param name="name">For the trace.</param>
/// <param name="process">The process it belongs to; null for the history itself.</param>
/// <param name="turn">Its thread's: that one does its work when it is given.</param>
/// <param name="number">Its place: of two that are due at once the lower runs.</param>
internal sealed class Actor(string name, SimulatedProcess? process, Turn turn, int number)
{
    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>Its process.</summary>
    public SimulatedProcess? Process { get; } = process;

    /// <summary>Order among those that are due at the same time.</summary>
    public int Number { get; } = number;

    /// <summary>When it goes on, ticks of the world.</summary>
    public long WakeAt { get; set; }

    /// <summary>Whether it has ended.</summary>
    public bool IsDone { get; set; }

    /// <summary>When it really goes on: not before its process is awake; one whose process is dead at once, to unwind.</summary>
    public long DueAt => Process is null || Process.IsDead ? WakeAt : Math.Max(WakeAt, Process.FrozenUntil);

    /// <summary>Lets it run.</summary>
    public void Give() => turn.Give();

    /// <summary>Waits for its turn.</summary>
    public void AwaitTurn() => turn.Await();
}
