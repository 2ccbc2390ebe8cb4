using System.Globalization;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Checkpoints;

/// <summary>Where the checkpoints of a service are, and what they must be of. Safe from several threads.</summary>
internal sealed class CheckpointFolder
{
    private readonly string directory;
    private readonly string topic;
    private readonly string topicId;
    private readonly int partitionCount;
    private readonly TimeSpan ageMax;
    private readonly TimeProvider clock;
    private readonly WorkerMetrics metrics;
    private readonly ILogger logger;

    private CheckpointFolder(string directory, string topic, string topicId, int partitionCount, TimeSpan ageMax, TimeProvider clock, WorkerMetrics metrics, ILogger logger)
    {
        this.ageMax = ageMax;
        this.directory = directory;
        this.topic = topic;
        this.topicId = topicId;
        this.partitionCount = partitionCount;
        this.clock = clock;
        this.metrics = metrics;
        this.logger = logger;
    }

    /// <summary>The folder of the settings, if it names one and the broker tells the topic's identifier.</summary>
    /// <param name="directory">The setting.</param>
    /// <param name="admin">Tells the identifier.</param>
    /// <param name="topic">The topic of state.</param>
    /// <param name="partitionCount">Partitions of the input.</param>
    /// <param name="clock">Tells ages.</param>
    /// <param name="metrics">Counts.</param>
    /// <param name="logger">Says what is left out.</param>
    public static CheckpointFolder? Open(string? directory, BrokerAdmin admin, string topic, int partitionCount, TimeProvider clock, WorkerMetrics metrics, ILogger logger)
    {
        if (directory is null)
        {
            return null;
        }

        if (admin.TopicId(topic) is { } topicId)
        {
            RemoveUnfinished(directory, topic, clock);
            var kept = admin.TopicSetting(topic, "delete.retention.ms") is { } text && long.TryParse(text, CultureInfo.InvariantCulture, out long ms) ? TimeSpan.FromMilliseconds(ms) : TimeSpan.MaxValue;
            var allowed = kept / 2 < CheckpointHeader.AgeMax ? kept / 2 : CheckpointHeader.AgeMax;
            return new CheckpointFolder(directory, topic, topicId, partitionCount, allowed, clock, metrics, logger);
        }

        LogMessages.CheckpointsLeftOut(logger, topic);
        return null;
    }

    /// <summary>Begins a partition's file.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="shape">Of its state.</param>
    /// <param name="offset">Where reading the topic goes on.</param>
    /// <param name="beganAtMs">When the copy was begun, ms since 1970 UTC.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public CheckpointWriter Create(int partition, uint shape, long offset, long beganAtMs) => new(PathOf(partition), Wanted(partition, shape) with { Offset = offset, BeganAtMs = beganAtMs });

    /// <summary>Opens a partition's file, when there is one that fits.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="shape">Of its state.</param>
    /// <param name="low">First retained offset of the topic's partition.</param>
    /// <param name="high">Its end.</param>
    public CheckpointReader? Find(int partition, uint shape, long low, long high)
    {
        CheckpointReader? reader = null;
        try
        {
            reader = CheckpointReader.Open(PathOf(partition));
            if (reader is null)
            {
                return null;
            }

            if (reader.Header.Mismatch(Wanted(partition, shape), low, high, clock.GetUtcNow().ToUnixTimeMilliseconds(), ageMax) is not { } mismatch)
            {
                return reader;
            }

            Refused(partition, mismatch);
        }
        catch (Exception unreadable) when (unreadable is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            Refused(partition, unreadable.Message);
        }

        reader?.Dispose();
        return null;
    }

    /// <summary>A file was found and not used.</summary>
    public void Refused(int partition, string reason)
    {
        metrics.Checkpoints.WithLabels("refused").Inc();
        LogMessages.CheckpointRefused(logger, partition, PathOf(partition), reason);
    }

    /// <summary>A file was loaded.</summary>
    public void Loaded(int partition, long records, long offset, TimeSpan took)
    {
        metrics.Checkpoints.WithLabels("loaded").Inc();
        LogMessages.CheckpointLoaded(logger, partition, records, offset, took.TotalSeconds);
    }

    /// <summary>A file was written.</summary>
    public void Written(int partition, long records, long offset, TimeSpan took)
    {
        metrics.Checkpoints.WithLabels("written").Inc();
        LogMessages.CheckpointWritten(logger, partition, records, offset, took.TotalSeconds);
    }

    /// <summary>A file could not be written: the worker goes on without.</summary>
    public void Failed(int partition, string reason)
    {
        metrics.Checkpoints.WithLabels("failed").Inc();
        LogMessages.CheckpointFailed(logger, partition, PathOf(partition), reason);
    }

    /// <summary>Removes what workers that were killed have left; a worker that shares the folder may be writing the younger ones.</summary>
    private static void RemoveUnfinished(string directory, string topic, TimeProvider clock)
    {
        try
        {
            foreach (string path in Directory.EnumerateFiles(directory, $"{topic}-*{CheckpointWriter.Unfinished}").Where(path => clock.GetUtcNow() - new DateTimeOffset(File.GetLastWriteTimeUtc(path)) > TimeSpan.FromMinutes(10)))
            {
                File.Delete(path);
            }
        }
        catch (Exception left) when (left is IOException or UnauthorizedAccessException)
        {
            // Another worker was quicker, or it is somebody else's.
        }
    }

    private CheckpointHeader Wanted(int partition, uint shape) => new(CheckpointHeader.CurrentVersion, topic, topicId, partition, partitionCount, shape, Offset: 0, BeganAtMs: 0);

    private string PathOf(int partition) => Path.Combine(directory, FormattableString.Invariant($"{topic}-{partition}.checkpoint"));
}
