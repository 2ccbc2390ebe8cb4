using Scoring.Models.Features;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Checkpoints;

/// <summary>Copies the state of a lane's partitions to disk, one partition after the other and a little after each commit.</summary>
/// <remarks>
/// A copy takes many commits, and what is copied early is old when the rest is. That does not matter: reading goes on in the topic at an offset from before the copy began, and whatever
/// changed since stands there (<see cref="PartitionState.WriteCopy"/>). Only a change that is in the copy and not in the topic yet would be wrong; so the file is put in its place after the
/// next mark, which has them all. Nothing here waits, neither for the broker nor for the disk, and nothing that fails here stops the lane.
/// </remarks>
internal sealed class LaneCheckpoints(LaneContext context, CheckpointFolder folder, OwnedPartitions partitions) : IDisposable
{
    private const int RecordsPerStep = 8_000;

    /// <summary>After so many it is looked whether the block is full: large records make shorter steps.</summary>
    private const int RecordsPerPart = 128;

    private const int RecordsMin = 20_000;

    private const long NeverWritten = long.MinValue / 2;

    /// <summary>Between two steps; more often they would be felt by the events between.</summary>
    private static readonly TimeSpan StepMin = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan IntervalMin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan IntervalMax = TimeSpan.FromMinutes(30);

    private readonly Dictionary<PartitionInput, (long Records, long EndedAt)> last = [];
    private Copy? copy;
    private long steppedAt;

    private enum Stage
    {
        AskingEnd,
        Creating,
        Copying,
        AwaitingMark,
        Completing,
    }

    /// <summary>Goes on after a commit: the state of every partition that answers is what is committed.</summary>
    /// <param name="now">Timestamp.</param>
    public void Step(long now)
    {
        if (context.Clock.GetElapsedTime(steppedAt, now) < StepMin)
        {
            return;
        }

        steppedAt = now;
        if (copy is null)
        {
            Begin(now);
        }
        else if (copy.Partition is { IsAnswering: true, IsLost: false } owner && ReferenceEquals(partitions.Find(owner.Partition), owner))
        {
            GoOn(copy, now);
        }
        else
        {
            GiveUp();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => GiveUp();

    private void Begin(long now)
    {
        foreach (var gone in last.Keys.Where(partition => !ReferenceEquals(partitions.Find(partition.Partition), partition)).ToList())
        {
            last.Remove(gone);
        }

        PartitionInput? longest = null;
        foreach (var partition in partitions.All)
        {
            if (partition is { IsAnswering: true, IsLost: false, Changelog: { HasMark: true } progress } && IsDue(partition, progress, now) && (longest is null || last[partition].EndedAt < last[longest].EndedAt))
            {
                longest = partition;
            }
        }

        if (longest is not null)
        {
            copy = new Copy(longest, context.Clock.GetUtcNow().ToUnixTimeMilliseconds(), now, context.Admin.EndOffsetAsync(context.Topics.State, longest.Partition)) { RecordsBefore = longest.Changelog!.Records };
        }
    }

    /// <summary>Whether the topic has so much that is not in the last checkpoint that reading it would take about as long as loading that.</summary>
    private bool IsDue(PartitionInput partition, ChangelogProgress progress, long now)
    {
        if (!last.TryGetValue(partition, out var before))
        {
            last[partition] = (NeverWritten, now); // Not in its first seconds, when events wait.
            return false;
        }

        long news = progress.Records - before.Records;
        var since = context.Clock.GetElapsedTime(before.EndedAt, now);
        return since >= IntervalMin && (news >= Math.Max(RecordsMin, partition.State.RecordCount / 2) || (news > 0 && since >= IntervalMax));
    }

    private void GoOn(Copy underway, long now)
    {
        if (!underway.Pending.IsCompleted)
        {
            return;
        }

        if (!underway.Pending.IsCompletedSuccessfully)
        {
            Failed(underway, now, underway.Pending.Exception?.InnerException?.Message ?? "it was given up");
            return;
        }

        try
        {
            switch (underway.Stage)
            {
                case Stage.AskingEnd:
                    uint shape = underway.Partition.State.Shape;
                    underway.Offset = underway.End.Result;
                    underway.Stage = Stage.Creating;
                    underway.Pending = Task.Run(() => underway.Writer = folder.Create(underway.Partition.Partition, shape, underway.Offset, underway.BeganAtMs));
                    break;
                case Stage.Creating:
                    underway.Stage = Stage.Copying;
                    Advance(underway);
                    break;
                case Stage.Copying:
                    Advance(underway);
                    break;
                case Stage.AwaitingMark when underway.Partition.Changelog!.Marks > underway.MarksBefore:
                    underway.Stage = Stage.Completing;
                    underway.Pending = Task.Run(underway.Writer!.Complete);
                    break;
                case Stage.Completing:
                    folder.Written(underway.Partition.Partition, underway.Writer!.Records, underway.Offset, context.Clock.GetElapsedTime(underway.StartedAt, now));
                    End(underway, now);
                    break;
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            Failed(underway, now, failed.Message);
        }
    }

    private static void Advance(Copy underway)
    {
        var writer = underway.Writer!;
        var cursor = underway.Cursor;
        bool isLast = false;
        for (int records = 0; records < RecordsPerStep && !writer.HasFullBlock && !isLast; records += RecordsPerPart)
        {
            isLast = underway.Partition.State.WriteCopy(ref cursor, RecordsPerPart, writer.Add);
        }

        underway.Cursor = cursor;
        if (isLast)
        {
            underway.MarksBefore = underway.Partition.Changelog!.Marks;
            underway.Stage = Stage.AwaitingMark;
        }

        if (isLast || writer.HasFullBlock)
        {
            underway.Pending = Task.Run(writer.WriteBlock);
        }
    }

    private void Failed(Copy underway, long now, string reason)
    {
        folder.Failed(underway.Partition.Partition, reason);
        last[underway.Partition] = (NeverWritten, now);
        GiveUp();
    }

    private void End(Copy underway, long now)
    {
        last[underway.Partition] = (underway.RecordsBefore, now);
        GiveUp();
    }

    private void GiveUp()
    {
        if (copy is { } given)
        {
            copy = null;
            _ = given.Pending.ContinueWith(_ => given.Writer?.Dispose(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private sealed class Copy(PartitionInput partition, long beganAtMs, long startedAt, Task<long> end)
    {
        public PartitionInput Partition { get; } = partition;

        public long BeganAtMs { get; } = beganAtMs;

        public long StartedAt { get; } = startedAt;

        /// <summary>End of the topic's partition, all transactions counted: everything before it was decided before the copy began.</summary>
        public Task<long> End { get; } = end;

        public Task Pending { get; set; } = end;

        public Stage Stage { get; set; }

        public long Offset { get; set; }

        public CheckpointWriter? Writer { get; set; }

        public StateCursor Cursor { get; set; }

        public int MarksBefore { get; set; }

        public long RecordsBefore { get; init; }
    }
}
