namespace Scoring.Trainer.Watching;

/// <summary>The points between which the loop can be killed; tests do so at each.</summary>
internal enum WatchStep
{
    /// <summary>A challenger was trained and judged; nothing is written.</summary>
    Judged,

    /// <summary>Its package is on the disk.</summary>
    PackageWritten,

    /// <summary>The decision to publish it is on the disk.</summary>
    Pending,

    /// <summary>It is published.</summary>
    Published,

    /// <summary>The decision has its file.</summary>
    Told,

    /// <summary>The time is done with.</summary>
    Done,
}
