namespace Scoring.Trainer.History.Segments;

/// <summary>One file of a recorded history. It never changes once it is there, and says itself which offsets it covers.</summary>
/// <param name="Kind">What its rows are.</param>
/// <param name="Number">Counts up by kind.</param>
/// <param name="Path">The file.</param>
/// <param name="From">Positions before it.</param>
/// <param name="To">Positions behind it: where reading goes on when it is the newest of its kind.</param>
/// <param name="FirstMs">Earliest event time (of labels: time of the report), ms since 1970 UTC.</param>
/// <param name="LastMs">Latest one.</param>
/// <param name="Rows">Rows in it.</param>
/// <param name="Bytes">Length of the file.</param>
internal sealed record Segment(SourceKind Kind, long Number, string Path, SourcePositions From, SourcePositions To, long FirstMs, long LastMs, int Rows, long Bytes);
