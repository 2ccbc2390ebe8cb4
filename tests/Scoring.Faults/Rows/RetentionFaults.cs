using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Scoring.Faults.Measuring;

namespace Scoring.Faults.Rows;

/// <summary>Retention takes input that nobody has read: what is gone must be counted, exactly.</summary>
internal static class RetentionFaults
{
    private const string Counter = "fraudscoring_input_gap_records_total";

    /// <summary>Longest until workers have met the gap.</summary>
    private static readonly TimeSpan CountedBound = TimeSpan.FromSeconds(60);

    /// <summary>While no worker runs, or under workers that are stopped for less than the group's patience; in turns.</summary>
    public static Task LoseInputAsync(FaultRun run) => run.Injected % 2 == 0 ? BetweenWorkersAsync(run) : UnderWorkersAsync(run);

    /// <summary>Every payment is answered, or counted as lost.</summary>
    public static void Judge(FaultRun run, Verdict verdict) => run.Require(
        run.Payments.Sent == run.Witness.Heard + run.Lost,
        FormattableString.Invariant($"{run.Payments.Sent} payments were sent, {run.Witness.Heard} scores are there, {run.Lost} were counted as lost"));

    private static async Task BetweenWorkersAsync(FaultRun run)
    {
        string[] names = [.. run.Workers.Names];
        await run.Workers.TerminateAllAsync(run.Stopping);
        var committed = run.Committed();
        await run.PauseAsync(3); // Payments go on: what comes now is what is lost.
        var before = new List<TopicPartitionOffset>();
        long gap = 0;
        foreach (var at in committed.OrderBy(_ => run.Random.Next()).Take(2))
        {
            int lost = run.Random.Next(1, 150);
            gap += lost;
            before.Add(new TopicPartitionOffset(at.TopicPartition, at.Offset.Value + lost));
        }

        await DeleteAsync(run, before);
        var printed = new LogTail(run.Service.Folder);
        foreach (string name in names)
        {
            run.Workers.Start(name);
        }

        double counted = 0;
        await run.UntilAsync($"{gap} lost records are counted", CountedBound, async () => (counted = await run.Workers.MetricAsync(Counter)) >= gap);
        run.Require(counted == gap, FormattableString.Invariant($"{gap} unread records were deleted, {counted} were counted"));
        await run.UntilAsync("workers say which input is gone", CountedBound, async () => (await printed.LinesAsync("retention passed the reader", run.Stopping)).Count >= before.Count);
        run.Lost += gap;
    }

    private static async Task UnderWorkersAsync(FaultRun run)
    {
        double countedBefore = await run.Workers.MetricAsync(Counter);
        await Task.WhenAll(run.Workers.Names.Select(name => run.Workers[name].SignalAsync("STOP")));
        var committed = run.Committed();
        await run.PauseAsync(4);
        var few = committed[run.Random.Next(committed.Count)];
        var many = committed[(few.Partition.Value + 1) % committed.Count];
        var ends = await run.Admin.ListOffsetsAsync([new TopicPartitionOffsetSpec { TopicPartition = many.TopicPartition, OffsetSpec = OffsetSpec.Latest() }]);
        await DeleteAsync(run,
        [
            new TopicPartitionOffset(few.TopicPartition, few.Offset.Value + run.Random.Next(60, 120)), // Some of these the worker has.
            new TopicPartitionOffset(many.TopicPartition, ends.ResultInfos[0].TopicPartitionOffsetError.Offset.Value - run.Random.Next(1, 50)),
        ]);
        var printed = new LogTail(run.Service.Folder);
        await Task.WhenAll(run.Workers.Names.Select(name => run.Workers[name].SignalAsync("CONT")));
        await run.UntilAsync("a worker says which input is gone", CountedBound, async () => (await printed.LinesAsync("retention passed the reader", run.Stopping)).Count > 0);
        await run.PauseAsync(3); // Both gaps are met when records behind them come.
        double counted = await run.Workers.MetricAsync(Counter) - countedBefore;
        run.Say(FormattableString.Invariant($"{counted} counted as lost"));
        run.Lost += (long)counted;
    }

    private static async Task DeleteAsync(FaultRun run, List<TopicPartitionOffset> before)
    {
        await run.Admin.DeleteRecordsAsync(before);
        foreach (var one in before)
        {
            run.Gone[one.Partition.Value] = one.Offset.Value;
        }

        run.Say($"deleted: all before {string.Join(", ", before)}");
    }
}
