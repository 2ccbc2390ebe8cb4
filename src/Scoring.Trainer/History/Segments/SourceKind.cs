namespace Scoring.Trainer.History.Segments;

/// <summary>What a topic holds.</summary>
internal enum SourceKind
{
    /// <summary>Transactions.</summary>
    Transactions,

    /// <summary>Labels.</summary>
    Labels,
}
