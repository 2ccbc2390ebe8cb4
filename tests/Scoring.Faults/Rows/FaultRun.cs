using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Scoring.Faults.Measuring;
using Scoring.Faults.Service;

namespace Scoring.Faults.Rows;

/// <summary>One row: a service of its own, payments through the whole run, faults, healing, draining, the verdict.</summary>
internal sealed class FaultRun
{
    /// <summary>Longest until every partition speaks again.</summary>
    private static readonly TimeSpan HealBound = TimeSpan.FromSeconds(180);

    /// <summary>Longest until all input is committed.</summary>
    private static readonly TimeSpan DrainBound = TimeSpan.FromSeconds(300);

    /// <summary>Workers that end by themselves so often need no more faults.</summary>
    private const int WorkerFaultsMax = 10;

    private readonly MatrixPlan plan;
    private readonly FaultRow row;
    private readonly TextWriter progress;
    private int injected;

    /// <summary>Prepares it; nothing runs yet.</summary>
    public FaultRun(MatrixPlan plan, FaultRow row, Cluster cluster, IAdminClient admin, TextWriter progress, CancellationToken stopping)
    {
        this.plan = plan;
        this.row = row;
        this.progress = progress;
        Cluster = cluster;
        Admin = admin;
        Stopping = stopping;
        int rowSeed = unchecked((plan.Seed * 1_000) + FaultRow.All.ToList().IndexOf(row));
        Random = new Random(rowSeed);
        Service = new FaultService(string.Create(CultureInfo.InvariantCulture, $"faults-{row.Name}-{plan.Seed}-{Guid.NewGuid().ToString("N")[..6]}"));
        Workers = new Workers(Service, cluster.BootstrapServers, plan.Settings);
        Payments = new Payments(Service, cluster.BootstrapServers, rowSeed, plan.Rate);
    }

    /// <summary>The brokers.</summary>
    public Cluster Cluster { get; }

    /// <summary>A client to look and to meddle with.</summary>
    public IAdminClient Admin { get; }

    /// <summary>Decides when and whom.</summary>
    public Random Random { get; }

    /// <summary>The service.</summary>
    public FaultService Service { get; }

    /// <summary>Its workers.</summary>
    public Workers Workers { get; }

    /// <summary>Its input.</summary>
    public Payments Payments { get; }

    /// <summary>Measures.</summary>
    public TimeProvider Clock { get; } = TimeProvider.System;

    /// <summary>The user has enough.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>What is not as it must be, beside what workers and verifier say.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>Runs the row.</summary>
    public async Task<RowResult> RunAsync()
    {
        Say($"{row.Title}; seed {plan.Seed}, files in {Service.Folder}");
        await WorkerAsync("topics", ["topics", "create", "--partitions", Text(FaultService.PartitionCount), "--replicas", Text(plan.BrokerCount)]);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stopping);
        await using var workers = Workers;
        await using var witness = new Witness(Cluster.BootstrapServers, Service.Topic("scores"));
        var sending = Payments.SendAsync(enough.Token);
        Workers.Start("w1");
        Workers.Start("w2");
        bool isAlive = await HealedAsync(witness);
        for (; isAlive && injected < plan.Injections; injected++)
        {
            await PauseAsync(Random.NextDouble() * 2);
            Say(string.Create(CultureInfo.InvariantCulture, $"injection {injected + 1} of {plan.Injections}, {Payments.Sent} sent"));
            await row.InjectAsync(this);
            isAlive = await HealedAsync(witness);
        }

        await PauseAsync(1);
        await enough.CancelAsync();
        await sending;
        var silence = witness.LongestSilence; // From here on partitions fall silent because there is nothing to say.
        Verdict? verdict = null;
        if (await DrainedAsync())
        {
            await Workers.TerminateAllAsync(Stopping);
            verdict = await VerifyAsync();
        }

        return new RowResult
        {
            Row = row,
            Injections = injected,
            Events = Payments.Sent,
            Verdict = verdict,
            AskedForRestart = Workers.AskedForRestart,
            LongestSilence = silence,
            Faults = [.. Faults, .. Workers.Faults],
        };
    }

    /// <summary>Waits some seconds.</summary>
    public Task PauseAsync(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), Stopping);

    /// <summary>One of the running workers.</summary>
    public string AnyWorker() => Workers.Names[Random.Next(Workers.Names.Count)];

    /// <summary>The first name that no worker has.</summary>
    public string AbsentWorker() => Enumerable.Range(1, 9).Select(number => $"w{Text(number)}").First(name => !Workers.Names.Contains(name, StringComparer.Ordinal));

    /// <summary>One of the brokers, from 1.</summary>
    public int AnyBroker() => Random.Next(plan.BrokerCount) + 1;

    /// <summary>Waits until every partition has all its copies again: with two brokers away nothing is written.</summary>
    public Task ReplicatedAsync() => UntilAsync(
        "all copies in sync",
        HealBound,
        () => Task.FromResult(Admin.GetMetadata(TimeSpan.FromSeconds(5)).Topics.SelectMany(topic => topic.Partitions).All(partition => partition.InSyncReplicas.Length == partition.Replicas.Length)));

    /// <summary>Tells the user.</summary>
    public void Say(string text) => progress.WriteLine($"{Clock.GetUtcNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture)} {row.Name}: {text}");

    // Every partition speaks, under workers that live: faults before each other's healing would hide each other.
    private async Task<bool> HealedAsync(Witness witness)
    {
        long since = Clock.GetTimestamp();
        bool isHealed = await UntilAsync("every partition speaks", HealBound, async () =>
        {
            await Workers.RestartEndedAsync(Stopping);
            return witness.AllHeardSince(since);
        });
        Say(string.Create(CultureInfo.InvariantCulture, $"healed after {Clock.GetElapsedTime(since).TotalMilliseconds:0} ms"));
        return isHealed;
    }

    private Task<bool> DrainedAsync() => UntilAsync("all input committed", DrainBound, async () =>
    {
        await Workers.RestartEndedAsync(Stopping);
        var partitions = Enumerable.Range(0, FaultService.PartitionCount).Select(partition => new TopicPartition(Service.Topic("transactions"), partition)).ToList();
        var ends = await Admin.ListOffsetsAsync(partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = OffsetSpec.Latest() }));
        var groups = await Admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(Service.Group, partitions)]);
        var committed = groups[0].Partitions.ToDictionary(one => one.Partition.Value, one => one.Offset.Value);
        return ends.ResultInfos.TrueForAll(end => committed[end.TopicPartitionOffsetError.Partition.Value] >= end.TopicPartitionOffsetError.Offset.Value);
    });

    private async Task<Verdict> VerifyAsync()
    {
        var (code, output) = await WorkerAsync("verify", ["verify", "--json", "--wait-seconds", "60"]);
        var verdict = new Verdict(code, JsonNode.Parse(output)!);
        Say($"verify ended with {Text(code)}: {Text(verdict.In)} in, {Text(verdict.ValuesCompared)} values compared");
        Require(verdict.In == Payments.Sent && verdict.Lag == 0, $"{Text(Payments.Sent)} transactions were sent, {Text(verdict.In)} are accounted for");
        Require(Payments.Refused == 0, $"{Text(Payments.Refused)} input records were refused by the brokers");
        return verdict;
    }

    private async Task<(int ExitCode, string Output)> WorkerAsync(string log, IEnumerable<string> arguments)
    {
        var answer = await Child.RunAsync(Path.Combine(Service.Folder, $"{log}.log"), [.. arguments, "--definition", Service.DefinitionPath, "--bootstrap-servers", Cluster.BootstrapServers], Stopping);
        return answer.ExitCode == 0 || (answer.ExitCode == 65 && string.Equals(log, "verify", StringComparison.Ordinal)) ? answer : throw new InvalidOperationException($"'{log}' ended with {Text(answer.ExitCode)}, see {Service.Folder}/{log}.log");
    }

    private async Task<bool> UntilAsync(string what, TimeSpan bound, Func<Task<bool>> isSoAsync)
    {
        long begun = Clock.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        do
        {
            try
            {
                if (await isSoAsync())
                {
                    return true;
                }
            }
            catch (KafkaException)
            {
                // No broker, or one that is not ready: asked again.
            }

            await timer.WaitForNextTickAsync(Stopping);
        }
        while (Clock.GetElapsedTime(begun) < bound && Workers.Faults.Count < WorkerFaultsMax);
        Faults.Add(string.Create(CultureInfo.InvariantCulture, $"not within {bound.TotalSeconds} s: {what} (injection {injected})"));
        return false;
    }

    private void Require(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            Faults.Add(otherwise);
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
