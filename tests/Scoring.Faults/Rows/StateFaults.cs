using Confluent.Kafka;
using Scoring.Faults.Measuring;
using Scoring.Faults.Service;

namespace Scoring.Faults.Rows;

/// <summary>Faults of what stands in the state topic: written by somebody else while no worker runs.</summary>
internal static class StateFaults
{
    private const int Refused = 65;

    /// <summary>Longest until every worker has met the partition: the second is given it when the first one's session has ended.</summary>
    private static readonly TimeSpan RefusedBound = TimeSpan.FromSeconds(60);

    /// <summary>A restore that does not get on says so after 30 s.</summary>
    private static readonly TimeSpan ToldBound = TimeSpan.FromSeconds(90);

    /// <summary>A record that no worker wrote: both workers end with 65 and name it. Then the partition is emptied, as they say, and its state is built again.</summary>
    public static async Task CorruptAsync(FaultRun run)
    {
        string[] names = [.. run.Workers.Names];
        await run.Workers.TerminateAllAsync(run.Stopping);
        var partition = AnyPartition(run);
        var (what, record) = Corrupted(run, partition);
        long offset;
        using (var producer = Producer(run, transactionalId: null))
        {
            offset = (await producer.ProduceAsync(partition, record, run.Stopping)).Offset.Value;
        }

        run.Say($"{partition} offset {offset}: {what}");
        var printed = new LogTail(run.Service.Folder);
        foreach (string name in names)
        {
            run.Workers.Start(name);
        }

        foreach (string name in names)
        {
            var code = await run.Workers.EndedAsync(name, RefusedBound, run.Stopping);
            run.Require(code == Refused, FormattableString.Invariant($"{name} should have refused {partition} ({what}) with 65, it {(code is { } other ? FormattableString.Invariant($"ended with {other}") : "runs")}"));
            if (code is null)
            {
                await run.Workers.TerminateAsync(name, run.Stopping);
            }
        }

        var said = await printed.LinesAsync(FormattableString.Invariant($"[{partition.Partition.Value}] offset {offset}: "), run.Stopping);
        run.Require(said.Any(line => line.Contains("kafka-delete-records.sh", StringComparison.Ordinal)), $"no worker said which record of {partition} is wrong and what to do");
        await run.Admin.DeleteRecordsAsync([new TopicPartitionOffset(partition, offset + 1)]);
        foreach (string name in names)
        {
            run.Workers.Start(name);
        }
    }

    /// <summary>A transaction that is not ended stands in a partition while workers start: it must not speak before the transaction is aborted, and they must say why.</summary>
    public static async Task HangAsync(FaultRun run)
    {
        string[] names = [.. run.Workers.Names];
        await run.Workers.TerminateAllAsync(run.Stopping);
        var partition = AnyPartition(run);
        using var rogue = Producer(run, $"rogue-{run.Service.Name}-{run.Injected}");
        rogue.InitTransactions(TimeSpan.FromSeconds(20));
        rogue.BeginTransaction();
        await rogue.ProduceAsync(partition, new Message<byte[], byte[]> { Key = [9], Value = [9] }, run.Stopping);
        long since = run.Clock.GetTimestamp();
        var printed = new LogTail(run.Service.Folder);
        foreach (string name in names)
        {
            run.Workers.Start(name);
        }

        await run.UntilAsync($"somebody says that a transaction stands open in {partition}", ToldBound, async () =>
        {
            await run.Workers.RestartEndedAsync(run.Stopping);
            return (await printed.LinesAsync(FormattableString.Invariant($"[{partition.Partition.Value}] could not be read beyond"), run.Stopping)).Any(line => line.Contains("find-hanging", StringComparison.Ordinal));
        });
        run.Require(!run.Witness.IsHeardSince(partition.Partition.Value, since), $"{partition} was answered although its state could not be read to the end");
        rogue.AbortTransaction(TimeSpan.FromSeconds(20));
    }

    private static TopicPartition AnyPartition(FaultRun run) => new(run.Service.Topic("state"), run.Random.Next(FaultService.PartitionCount));

    // The bytes: key of version 1, kind 1 (record), 2 (mark) or 3 (position), four of the definition's shape.
    private static (string What, Message<byte[], byte[]> Record) Corrupted(FaultRun run, TopicPartition partition)
    {
        var records = Records(run, partition);
        var record = records.FindLast(one => one.Key[1] == 1 && one.Value is { Length: > 9 })!;
        var mark = records.FindLast(one => one.Key[1] == 2)!;
        var position = records.FindLast(one => one.Key[1] == 3)!;
        return run.Random.Next(7) switch
        {
            0 => ("a key of version 2", new() { Key = [2, .. record.Key[1..]], Value = record.Value }),
            1 => ("an empty key", new() { Key = [], Value = record.Value }),
            2 => ("a key of no kind", new() { Key = [1, 77, .. record.Key[2..]], Value = record.Value }),
            3 => ("a record cut short", new() { Key = record.Key, Value = record.Value[..run.Random.Next(1, record.Value.Length)] }),
            4 => ("a record with bytes behind it", new() { Key = record.Key, Value = [.. record.Value, 1] }),
            5 => ("a mark cut short", new() { Key = mark.Key, Value = mark.Value[..20] }),
            _ => ("a position cut short", new() { Key = position.Key, Value = position.Value[..12] }),
        };
    }

    private static List<Message<byte[], byte[]>> Records(FaultRun run, TopicPartition partition)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = run.Cluster.BootstrapServers, GroupId = "look", EnableAutoCommit = false, EnablePartitionEof = true }).Build();
        consumer.Assign(new TopicPartitionOffset(partition, Offset.Beginning));
        var records = new List<Message<byte[], byte[]>>();
        while (consumer.Consume(run.Stopping) is { IsPartitionEOF: false } one)
        {
            records.Add(one.Message);
        }

        return records;
    }

    private static IProducer<byte[], byte[]> Producer(FaultRun run, string? transactionalId) => new ProducerBuilder<byte[], byte[]>(new ProducerConfig
    {
        BootstrapServers = run.Cluster.BootstrapServers,
        Acks = Acks.All,
        EnableIdempotence = true,
        TransactionalId = transactionalId,
        TransactionTimeoutMs = transactionalId is null ? null : 600_000,
    }).SetLogHandler((_, _) => { }).Build();
}
