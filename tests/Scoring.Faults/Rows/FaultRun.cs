using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;
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

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Workers that end by themselves so often need no more faults.</summary>
    private const int WorkerFaultsMax = 10;

    private readonly MatrixPlan plan;
    private readonly FaultRow row;
    private readonly TextWriter progress;
    private Witness? witness;

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
        Workers = new Workers(Service, row.IsWired ? cluster.Wires!.ServersOf : _ => cluster.BootstrapServers, plan.Settings);
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

    /// <summary>A subscriber of its scores.</summary>
    public Witness Witness => witness ?? throw new InvalidOperationException("nobody listens before the workers start");

    /// <summary>What the verifier is told beside where to look.</summary>
    public List<string> VerifyArguments { get; } = [];

    /// <summary>Where the input of a partition begins, because the row has deleted what was before.</summary>
    public Dictionary<int, long> Gone { get; } = [];

    /// <summary>Payments that workers have counted as deleted before they were read.</summary>
    public long Lost { get; set; }

    /// <summary>Faults so far.</summary>
    public int Injected { get; private set; }

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
        await row.PrepareAsync(this);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stopping);
        await using var workers = Workers;
        await using var listening = witness = Witness.Of(Cluster.BootstrapServers, Service.Topic("scores"));
        var sending = Payments.SendAsync(enough.Token);
        Workers.Start("w1");
        Workers.Start("w2");
        bool isAlive = await HealedAsync();
        for (; isAlive && Injected < plan.Injections; Injected++)
        {
            await PauseAsync(Random.NextDouble() * 2);
            Say(string.Create(CultureInfo.InvariantCulture, $"injection {Injected + 1} of {plan.Injections}, {Payments.Sent} sent"));
            await row.InjectAsync(this);
            isAlive = await HealedAsync();
        }

        await PauseAsync(1);
        await enough.CancelAsync();
        await sending;
        var silence = Witness.LongestSilence; // From here on partitions fall silent because there is nothing to say.
        Verdict? verdict = null;
        if (await DrainedAsync())
        {
            await Workers.TerminateAllAsync(Stopping);
            verdict = await VerifyAsync();
        }

        return new RowResult
        {
            Row = row,
            Injections = Injected,
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

    /// <summary>What the workers have committed of their transactions, by partition.</summary>
    public List<TopicPartitionOffset> Committed()
    {
        using var reader = Reader();
        return Committed(reader);
    }

    /// <summary>Waits until every partition has all its copies again: with two brokers away nothing is written.</summary>
    public Task ReplicatedAsync() => UntilAsync(
        "all copies in sync",
        HealBound,
        () => Task.FromResult(Admin.GetMetadata(TimeSpan.FromSeconds(5)).Topics.SelectMany(topic => topic.Partitions).All(partition => partition.InSyncReplicas.Length == partition.Replicas.Length)));

    /// <summary>Tells the user.</summary>
    public void Say(string text) => progress.WriteLine($"{Clock.GetUtcNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture)} {row.Name}: {text}");

    // Every partition speaks, under workers that live: faults before each other's healing would hide each other.
    private async Task<bool> HealedAsync()
    {
        long since = Clock.GetTimestamp();
        bool isHealed = await UntilAsync("every partition speaks", HealBound, async () =>
        {
            await Workers.RestartEndedAsync(Stopping);
            return Witness.AllHeardSince(since);
        });
        Say(string.Create(CultureInfo.InvariantCulture, $"healed after {Clock.GetElapsedTime(since).TotalMilliseconds:0} ms"));
        return isHealed;
    }

    private Task<bool> DrainedAsync() => UntilAsync("all input committed", DrainBound, async () =>
    {
        await Workers.RestartEndedAsync(Stopping);
        using var reader = Reader();
        return Committed(reader).TrueForAll(committed => committed.Offset.Value >= reader.QueryWatermarkOffsets(committed.TopicPartition, CallTimeout).High.Value);
    });

    // A new one each time: a client of before may ask with what it remembers of brokers that were away, and be refused for minutes.
    private IConsumer<Ignore, Ignore> Reader() =>
        new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = Cluster.BootstrapServers, GroupId = Service.Group, IsolationLevel = IsolationLevel.ReadUncommitted }).Build();

    private List<TopicPartitionOffset> Committed(IConsumer<Ignore, Ignore> reader) =>
        reader.Committed(Enumerable.Range(0, FaultService.PartitionCount).Select(partition => new TopicPartition(Service.Topic("transactions"), partition)), CallTimeout);

    private async Task<Verdict> VerifyAsync()
    {
        var (code, output) = await WorkerAsync("verify", ["verify", "--json", "--wait-seconds", "60", .. VerifyArguments]);
        var verdict = new Verdict(code, JsonNode.Parse(output)!);
        Say($"verify ended with {Text(code)}: {Text(verdict.In)} in, {Text(verdict.ValuesCompared)} values compared");
        Require(
            verdict.In == Payments.Sent - Gone.Values.Sum() && verdict.Lag == 0,
            $"{Text(Payments.Sent)} transactions were sent, {Text(verdict.In)} are accounted for, {Text(Gone.Values.Sum())} are deleted");
        Require(verdict.Refused == Payments.Bad, $"{Text(Payments.Bad)} bad transactions were sent, {Text(verdict.Refused)} were answered by dead letters");
        Require(Payments.Refused == 0, $"{Text(Payments.Refused)} input records were refused by the brokers");
        row.Judge(this, verdict);
        return verdict;
    }

    private async Task<(int ExitCode, string Output)> WorkerAsync(string log, IEnumerable<string> arguments)
    {
        var answer = await Child.RunAsync(Path.Combine(Service.Folder, $"{log}.log"), [.. arguments, "--definition", Service.DefinitionPath, "--bootstrap-servers", Cluster.BootstrapServers], Stopping);
        return answer.ExitCode == 0 || (answer.ExitCode == 65 && string.Equals(log, "verify", StringComparison.Ordinal)) ? answer : throw new InvalidOperationException($"'{log}' ended with {Text(answer.ExitCode)}, see {Service.Folder}/{log}.log");
    }

    /// <summary>Waits until something is so; if it is not within the bound, that is a fault.</summary>
    public async Task<bool> UntilAsync(string what, TimeSpan bound, Func<Task<bool>> isSoAsync)
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
        Faults.Add(string.Create(CultureInfo.InvariantCulture, $"not within {bound.TotalSeconds} s: {what} (injection {Injected + 1})"));
        return false;
    }

    /// <summary>Notes a fault unless something is so.</summary>
    public void Require(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            Faults.Add(otherwise);
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
