namespace Scoring.Simulation.Scheduling;

/// <summary>Unwinds the threads of a process that was killed.</summary>
internal sealed class ProcessKilledException : Exception
{
    /// <summary>Says so.</summary>
    public ProcessKilledException()
        : this("the process was killed")
    {
    }

    /// <summary>Says so in other words.</summary>
    public ProcessKilledException(string message)
        : base(message)
    {
    }

    /// <summary>Says so in other words, and why.</summary>
    public ProcessKilledException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
