namespace Scoring.Trainer;

/// <summary>Ends a verb with a sentence for the person at the terminal and an exit code for the script.</summary>
internal sealed class TrainerException(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>See <see cref="Trainer.ExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;
}
