namespace Scoring.Worker.Lanes;

/// <summary>The open transaction cannot be completed: what it holds is taken back and done again.</summary>
internal sealed class TransactionBroken(string message, Exception? cause = null) : Exception(message, cause);
