namespace Scoring.Worker.Lanes;

/// <summary>A lane cannot go on: an output was refused, a client is broken, or an invariant does not hold. It ends before it commits.</summary>
internal sealed class LaneFailure(int exitCode, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>What the process ends with.</summary>
    public int ExitCode { get; } = exitCode;
}
