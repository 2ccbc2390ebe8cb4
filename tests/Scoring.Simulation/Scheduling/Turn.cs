namespace Scoring.Simulation.Scheduling;

/// <summary>What one thread gives and another waits for; given before it is waited for, it is there.</summary>
internal sealed class Turn
{
    private readonly object gate = new();
    private bool isGiven;

    /// <summary>Gives it.</summary>
    public void Give()
    {
        lock (gate)
        {
            isGiven = true;
            Monitor.Pulse(gate);
        }
    }

    /// <summary>Waits for it and takes it.</summary>
    public void Await()
    {
        lock (gate)
        {
            while (!isGiven)
            {
                Monitor.Wait(gate);
            }

            isGiven = false;
        }
    }
}
