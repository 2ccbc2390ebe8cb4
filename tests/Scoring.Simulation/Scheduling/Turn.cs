namespace Scoring.Simulation.Scheduling;

/// <summary>What one thread gives and another waits for; given before it is waited for, it is there.</summary>
internal sealed class Turn : IDisposable
{
    private readonly AutoResetEvent given = new(initialState: false);

    /// <summary>Gives it.</summary>
    public void Give() => given.Set();

    /// <summary>Waits for it and takes it.</summary>
    public void Await() => given.WaitOne();

    /// <inheritdoc/>
    public void Dispose() => given.Dispose();
}
