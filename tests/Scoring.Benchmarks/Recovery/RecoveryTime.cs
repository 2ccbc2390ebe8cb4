using System.CommandLine;
using System.Globalization;
using System.Net;
using Confluent.Kafka;
using Scoring.Benchmarks.Inputs;
using Scoring.Benchmarks.Relay;
using Scoring.Benchmarks.Trees;
using Scoring.EndToEnd.Tests.Operations;

namespace Scoring.Benchmarks.Recovery;

/// <summary><c>recovery</c>: what state costs by the key, and how long scores are away when a worker is killed, replaced or joined by another.</summary>
internal sealed class RecoveryTime
{
    private const int KeysOfAccount = 3; // Of the velocity service: account, account and device, account and currency.
    private const int Seconds = 600; // More than all waits together.
    private const double UsualMs = 1_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly string servers;
    private readonly FileInfo worker;
    private readonly WorkerInputs inputs;
    private readonly PaymentEvents stream;
    private readonly int rate;
    private readonly DirectoryInfo? checkpoints;
    private readonly string run = FormattableString.Invariant($"recovery-{Environment.ProcessId}");
    private readonly TextWriter output;
    private readonly CancellationToken stopping;
    private readonly Queue<Instance> running = new();

    private RecoveryTime(string servers, FileInfo worker, WorkerInputs inputs, PaymentEvents stream, int rate, DirectoryInfo? checkpoints, TextWriter output, CancellationToken stopping)
    {
        this.servers = servers;
        this.worker = worker;
        this.inputs = inputs;
        this.stream = stream;
        this.rate = rate;
        this.checkpoints = checkpoints;
        this.output = output;
        this.stopping = stopping;
    }

    /// <summary>The verb.</summary>
    /// <param name="bootstrap">Names the broker.</param>
    /// <param name="worker">The worker's program.</param>
    public static Command Create(Option<string?> bootstrap, Option<FileInfo> worker)
    {
        var keys = new Option<int>("--keys") { Description = "Keys of state.", DefaultValueFactory = _ => 1_000_000 };
        var eventsPerSecond = new Option<int>("--rate") { Description = "Events a second while workers are killed.", DefaultValueFactory = _ => 20_000 };
        var withCheckpoints = new Option<bool>("--checkpoints") { Description = "Each worker has a folder of checkpoints of its own." };
        var command = new Command("recovery", "Prints what state costs by the key, and how long scores are away when a worker is killed, replaced or joined by another.") { bootstrap, worker, keys, eventsPerSecond, withCheckpoints };
        command.SetAction(async (parsed, stopping) =>
        {
            if (RealBroker.Of(parsed, bootstrap) is not { } servers)
            {
                return RealBroker.Missing;
            }

            var payments = new PaymentEvents(seed: 6, accounts: Math.Max(1, parsed.GetValue(keys) / KeysOfAccount), merchants: 5_000);
            using var files = new WorkerInputs(Definitions.Velocity.ToArray(), new TrainedTrees().Nodes, new PaymentEvents(seed: 6, accounts: 20_000, merchants: 5_000), 16_000);
            var folder = parsed.GetValue(withCheckpoints) ? Directory.CreateTempSubdirectory("fraudscoring-checkpoints-") : null;
            try
            {
                await new RecoveryTime(servers, parsed.GetValue(worker)!, files, payments, parsed.GetValue(eventsPerSecond), folder, parsed.InvocationConfiguration.Output, stopping).RunAsync();
            }
            finally
            {
                folder?.Delete(recursive: true);
            }

            return 0;
        });
        return command;
    }

    private async Task RunAsync()
    {
        await RunningProgram.RunAsync(worker.FullName, ["topics", "create", "--definition", inputs.WriteDefinition(run, run), "--bootstrap-servers", servers, "--partitions", FormattableString.Invariant($"{BenchmarkTopics.PartitionCount}")], stopping);
        using var topics = BenchmarkTopics.Of(servers, WorkerInputs.Topics(run));
        try
        {
            topics.Fill($"{run}.in", stream, Enumerable.Range(0, stream.Accounts));
            var first = Start("a");
            await UntilCommittedAsync(topics, first);
            await SizesAsync(first);

            var events = new SteadyEvents(servers, $"{run}.in", stream, rate, rate * Seconds);
            var watch = new ScoreWatch(servers, $"{run}.scores", events);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            var isReading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var reading = Task.Factory.StartNew(() => watch.Read(isReading, end.Token), end.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await await Task.WhenAny(isReading.Task, reading);
            var sending = Task.Factory.StartNew(() => events.Send(end.Token), end.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            try
            {
                await InterruptAsync(watch);
            }
            finally
            {
                await end.CancelAsync();
                await Task.WhenAll(reading, sending);
            }
        }
        finally
        {
            while (running.Count > 0)
            {
                await KillAsync();
            }

            await topics.RemoveAsync();
        }
    }

    private async Task InterruptAsync(ScoreWatch watch)
    {
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\nAt {rate:N0} events/s; ms as a reader of committed scores sees them.\n"));
        await output.WriteLineAsync("| what | all partitions answer again | longest silence of a partition | usual delay again |");
        await output.WriteLineAsync("|---|---:|---:|---:|");
        await CheckpointsAsync();
        await SteadyAsync(watch);
        Tell("killed, the same worker started at once", await MeasureAsync(watch, async () =>
        {
            await KillAsync();
            watch.Mark(); // What is sent from here on the dead one cannot have answered.
            Start("a");
        }));
        var joined = await MeasureAsync(watch, async () =>
        {
            var second = Start("b");
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            patience.CancelAfter(Patience);
            await second.Http.UntilAsync("/metrics", answer => answer.Status == HttpStatusCode.OK && Sum(answer.Body, "fraudscoring_state_entries{") > 0, patience.Token);
            await Task.Delay(TimeSpan.FromMilliseconds(2 * UsualMs), stopping); // It has begun to take partitions over; they are silent until they are restored.
        });
        Tell("another worker joins, partitions move", joined with { Answered = double.NaN }); // The others go on answering meanwhile.
        Tell("killed, the other worker takes over", await MeasureAsync(watch, async () =>
        {
            await KillAsync();
            watch.Mark();
        }));
    }

    /// <summary>Waits until the worker that has run longest has a checkpoint of every partition that it got while events flowed.</summary>
    private async Task CheckpointsAsync()
    {
        while (checkpoints is not null && Sum((await running.Peek().Http.GetAsync("/metrics", stopping)).Body, "fraudscoring_checkpoints_total{outcome=\"written\"}") < 2 * BenchmarkTopics.PartitionCount)
        {
            running.Peek().Program.ThrowIfEnded();
            await Task.Delay(TimeSpan.FromMilliseconds(200), stopping);
        }
    }

    private void Tell(string what, ScoreWatch.Silence silence)
    {
        string answered = double.IsNaN(silence.Answered) ? "-" : silence.Answered.ToString("F0", CultureInfo.InvariantCulture);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {answered} | {silence.Longest:F0} | {silence.CaughtUp:F0} |"));
        output.Flush();
    }

    private async Task<ScoreWatch.Silence> MeasureAsync(ScoreWatch watch, Func<Task> interrupt)
    {
        watch.Mark();
        await interrupt();
        var silence = await watch.AnsweredAsync(UsualMs, Patience, stopping);
        await SteadyAsync(watch);
        return silence;
    }

    /// <summary>Waits until scores have come with the usual delay for a while.</summary>
    private async Task SteadyAsync(ScoreWatch watch)
    {
        for (int i = 0; i < 5; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), stopping);
            watch.Mark();
            await watch.AnsweredAsync(UsualMs, Patience, stopping);
        }
    }

    private async Task UntilCommittedAsync(BenchmarkTopics topics, Instance instance)
    {
        while (topics.Committed(run, $"{run}.in") < stream.Accounts)
        {
            instance.Program.ThrowIfEnded();
            await Task.Delay(TimeSpan.FromMilliseconds(50), stopping);
        }
    }

    private async Task SizesAsync(Instance instance)
    {
        string metrics;
        double before;
        double keys = 0;
        do
        {
            before = keys;
            await Task.Delay(TimeSpan.FromSeconds(2), stopping); // Gauges are set every now and then.
            metrics = (await instance.Http.GetAsync("/metrics", stopping)).Body;
            keys = Sum(metrics, "fraudscoring_state_entries{");
        }
        while (keys > before);

        double bytes = Sum(metrics, "fraudscoring_state_bytes{");
        var (records, recordBytes) = StateTopic();
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{keys:N0} keys: {bytes / keys:F0} B of state each, {instance.Program.WorkingSetBytes / keys:F0} B of the process; state topic {records:N0} records, {recordBytes / keys:F0} B for each key before compression"));
    }

    private (long Records, long Bytes) StateTopic()
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = servers, GroupId = "benchmarks", IsolationLevel = IsolationLevel.ReadCommitted, EnablePartitionEof = true, ConsumeResultFields = "none" }).Build();
        consumer.Assign(Enumerable.Range(0, BenchmarkTopics.PartitionCount).Select(partition => new TopicPartitionOffset($"{run}.state", partition, Offset.Beginning)));
        long records = 0;
        long bytes = 0;
        var ended = new HashSet<int>();
        while (ended.Count < BenchmarkTopics.PartitionCount)
        {
            var read = consumer.Consume(stopping);
            if (read.IsPartitionEOF)
            {
                ended.Add(read.Partition.Value);
                continue;
            }

            records++;
            bytes += (read.Message.Key?.Length ?? 0) + (read.Message.Value?.Length ?? 0);
        }

        return (records, bytes);
    }

    private Instance Start(string name)
    {
        var http = new HttpDoor(HttpDoor.FreePort());
        IEnumerable<string> settings = ["Kafka:Delivery=exactly_once", $"Kafka:InstanceId={name}"];
        if (checkpoints is not null)
        {
            settings = settings.Append($"Lanes:CheckpointDirectory={checkpoints.CreateSubdirectory(name).FullName}");
        }

        var instance = new Instance(new RunningProgram(worker.FullName, inputs.Arguments(servers, run, run, http.EndPoint.ToString(), settings)), http);
        running.Enqueue(instance);
        return instance;
    }

    /// <summary>Kills the worker that has run longest.</summary>
    private async Task KillAsync()
    {
        var (program, http) = running.Dequeue();
        await program.DisposeAsync();
        http.Dispose();
    }

    private static double Sum(string metrics, string series) =>
        metrics.Split('\n').Where(line => line.StartsWith(series, StringComparison.Ordinal)).Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    private sealed record Instance(RunningProgram Program, HttpDoor Http);
}
