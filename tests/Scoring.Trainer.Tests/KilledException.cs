namespace Scoring.Trainer.Tests;

/// <summary>Stands for kill -9 in tests: thrown between two steps, caught by nobody but the test.</summary>
internal sealed class KilledException : Exception
{
    public KilledException()
    {
    }

    public KilledException(string message)
        : base(message)
    {
    }

    public KilledException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
