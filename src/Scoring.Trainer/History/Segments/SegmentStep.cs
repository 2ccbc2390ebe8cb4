namespace Scoring.Trainer.History.Segments;

/// <summary>The points between which a folder of segments can be killed; tests do so at each.</summary>
internal enum SegmentStep
{
    /// <summary>The file is being begun.</summary>
    Begun,

    /// <summary>It is whole and on the disk under its unfinished name.</summary>
    Written,

    /// <summary>It has its final name: its rows are recorded.</summary>
    Renamed,

    /// <summary>A segment that is too old was deleted.</summary>
    Deleted,
}
