namespace Scoring.Worker.Commands;

/// <summary>Ends a verb with one line for its user and an exit code. Thrown only off the hot path, caught once, in <see cref="Program"/>.</summary>
internal sealed class CommandFailure(int exitCode, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>One of <see cref="Commands.ExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;
}
