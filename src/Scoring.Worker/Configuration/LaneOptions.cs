namespace Scoring.Worker.Configuration;

/// <summary>How lanes batch, stage and commit. Section <c>Lanes</c>.</summary>
internal sealed record LaneOptions
{
    /// <summary>Threads that own partitions, 1 to 256. Default: one per core.</summary>
    public int Lanes { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 256);

    /// <summary>Most rows scored at once, 1 to 4096. Default 256. It changes speed, never a result.</summary>
    public int RowsMax { get; init; } = 256;

    /// <summary>
    /// Longest time between commits, ms, 5 to 60,000, exactly once at most 5,000. Default 100. Exactly once: what a reader of committed records waits at most under load, a tenth of it and less
    /// while there is little to do; beside other lanes half as long again, but no more than 50 ms longer: their commits come one after the other. At least once: a crash repeats at most what came since.
    /// </summary>
    public int CommitIntervalMs { get; init; } = 100;

    /// <summary>
    /// Usual time between two copies of changed state to its topic, ms, 50 to 60,000. Default 5,000; never later than after twice as long. Where a lane has time and its transactions are small, 500 changed records are
    /// copied with the next commit already. A worker that takes a partition over reads the input again from the last one on; a key that changes often is written once for each.
    /// </summary>
    public int StateIntervalMs { get; init; } = 5_000;

    /// <summary>
    /// Folder of checkpoints: copies of state on the worker's own disk, so that one that starts again reads of the state topic only what came since. None by default. Exactly once only. They hold
    /// what the state holds (keys of cards among it) and may be deleted at any time.
    /// </summary>
    public string? CheckpointDirectory { get; init; }

    /// <summary>
    /// Folder in which a worker notes which records it has in hand, so that one that ends its process each time is found and goes to the dead letters (<c>crash_suspect</c>). Default: the folder of checkpoints; where there
    /// is none either, such a record ends every worker that comes to it. It must outlive the process, so not a container's own file system. Holds offsets only.
    /// </summary>
    public string? CrashDirectory { get; init; }

    /// <summary>Most output records of a lane that the broker has not acknowledged, 1,000 to 1,000,000. Default 50,000; then the lane stops taking input.</summary>
    public int InFlightMax { get; init; } = 50_000;

    /// <summary>Most rows of a partition that are decoded and wait for labels or for other partitions, 256 to 65,536. Default 4,096; then the partition is paused.</summary>
    public int StagedRowsMax { get; init; } = 4_096;

    /// <summary>Most bytes of refused records of a partition that wait for what is before them, and as many each of its labels and of rows that may be repeats with other fields, 100,000 to 1,000,000,000. Default 8 MiB; then the partition is paused.</summary>
    public int RefusedBytesMax { get; init; } = 8 << 20;

    /// <summary>Whether every score carries its feature vector (member <c>features</c>). Off by default.</summary>
    public bool EmitFeatures { get; init; }
}
