using Confluent.Kafka;
using Scoring.Faults.Measuring;
using Scoring.Faults.Service;

namespace Scoring.Faults.Rows;

/// <summary>Retention takes input that nobody has read.</summary>
internal static class RetentionFaults
{
    /// <summary>Longest until workers that start have looked at their partitions.</summary>
    private static readonly TimeSpan CountedBound = TimeSpan.FromSeconds(60);

    /// <summary>While no worker runs, records behind the committed offsets of two partitions are deleted: as many as are gone must be counted, and the rest be answered.</summary>
    public static async Task LoseInputAsync(FaultRun run)
    {
        string[] names = [.. run.Workers.Names];
        await run.Workers.TerminateAllAsync(run.Stopping);
        var partitions = Enumerable.Range(0, FaultService.PartitionCount).Select(partition => new TopicPartition(run.Service.Topic("transactions"), partition)).ToList();
        var groups = await run.Admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(run.Service.Group, partitions)]);
        await run.PauseAsync(3); // Payments go on: what comes now is what is lost.
        var before = new List<TopicPartitionOffset>();
        long gap = 0;
        foreach (var committed in groups[0].Partitions.OrderBy(_ => run.Random.Next()).Take(2))
        {
            int lost = run.Random.Next(1, 150);
            gap += lost;
            before.Add(new TopicPartitionOffset(committed.TopicPartition, committed.Offset.Value + lost));
        }

        var deleted = await run.Admin.DeleteRecordsAsync(before);
        foreach (var one in deleted)
        {
            run.Gone[one.Partition.Value] = one.Offset.Value;
        }

        run.Say(FormattableString.Invariant($"{gap} unread records are gone: {string.Join(", ", before)}"));
        var printed = new LogTail(run.Service.Folder);
        foreach (string name in names)
        {
            run.Workers.Start(name);
        }

        double counted = 0;
        await run.UntilAsync($"{gap} lost records are counted", CountedBound, async () =>
        {
            counted = await run.Workers.MetricAsync("fraudscoring_input_gap_records_total");
            return counted >= gap;
        });
        run.Require(counted == gap, FormattableString.Invariant($"{gap} unread records were deleted, {counted} were counted"));
        run.Require((await printed.LinesAsync("retention passed the reader", run.Stopping)).Count >= before.Count, "no worker said which input is gone");
    }
}
