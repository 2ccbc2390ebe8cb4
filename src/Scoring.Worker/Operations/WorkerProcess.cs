using System.Globalization;
using Microsoft.Extensions.Logging;
using Prometheus;
using Scoring.Models.Ensembles;
using Scoring.Models.Features;
using Scoring.Worker.Checkpoints;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Crashes;
using Scoring.Worker.Kafka;
using Scoring.Worker.Lanes;
using Scoring.Worker.Serving;
using Scoring.Worker.State;

namespace Scoring.Worker.Operations;

/// <summary>Starts a worker in order, watches its lanes, and stops it within ten seconds.</summary>
/// <remarks>
/// 1. definition, 2. metrics and health answer, 3. model of the settings, 4. brokers and topics, 5. models topic read to its end,
/// 6. contributions restored, 7. checkpoints fetched where nobody waits, 8. lanes.
/// A lane that ends by itself ends the process with its exit code: nothing goes on half.
/// </remarks>
internal static class WorkerProcess
{
    /// <summary>Of the ten seconds: a lane needs at most eight (5 to commit, 2 to leave, 1 for a call that does not come back), the server gets two.</summary>
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(8);

    private static int runs;

    /// <summary>Runs until <paramref name="stopping"/> or until a lane fails.</summary>
    /// <param name="settings">All settings.</param>
    /// <param name="clock">The only clock.</param>
    /// <param name="logging">Log.</param>
    /// <param name="stopping">Ends it.</param>
    /// <param name="planted">Mistakes that a test wants.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(WorkerSettings settings, TimeProvider clock, ILoggerFactory logging, CancellationToken stopping, Planted? planted = null)
    {
        OnnxRuntimeEnvironment.EnsureQuiet();
        var logger = logging.CreateLogger("fraudscoring");
        using var slot = new ModelSlot();
        var definition = ModelLoader.ReadDefinition(settings.Serving.Definition);
        Metrics.SuppressDefaultMetrics();
        var metrics = new WorkerMetrics(Metrics.NewCustomRegistry());
        var service = new Service(definition, slot) { Device = ServingDevice.Open(settings.Serving, metrics.Device, logger) };
        metrics.BuildInfo.WithLabels(Build.Version, Build.Commit).Set(1);
        var health = new HealthState(settings.Lanes.Lanes, clock);
        await using var server = await OperationsServer.StartAsync(settings.Operations, metrics, health);
        LogMessages.Answering(logger, server.Address);
        bool canVerify = settings.Serving.VerificationKeys.Count > 0;
        if (settings.Serving.Package is not null || !canVerify)
        {
            ModelLoader.Load(settings.Serving, service, clock, metrics, logger);
        }

        var clients = new KafkaClients(settings.Kafka, settings.Kafka.Group ?? service.Topics.Group, logger);
        using var admin = new BrokerAdmin(clients, settings.Kafka.BootstrapServers, TimeSpan.FromSeconds(settings.Kafka.StartTimeoutSeconds), clock, stopping);
        var found = TopicCheck.Check(admin.PartitionCounts(), service, settings, logger);
        using var models = canVerify && found.ModelsPartitionCount > 0 ? await FollowModelsAsync(settings, clients, admin, service, found.ModelsPartitionCount, clock, metrics, logger, stopping) : null;
        if (models is null)
        {
            LogMessages.ModelsLeftOut(logger, canVerify ? $"topic {service.Topics.Models} is not there" : "no verification key is given");
        }

        if (!slot.IsFilled)
        {
            ModelLoader.Load(settings.Serving, service, clock, metrics, logger, $", and topic {service.Topics.Models} offers none for {service.Topics.ModelsKey} that could be taken");
        }

        using var ledger = new AggregatesLedger(new SharedAggregates(service.Plan, found.PartitionCount), found.PartitionCount);
        metrics.Follow(ledger.Shared);
        using var reader = service.Plan.HasShared ? MakeReader(clients, admin, service, settings, ledger, clock, metrics, logger, stopping) : null;
        reader?.Start();
        if (reader is not null)
        {
            await reader.Restored.WaitAsync(stopping);
        }

        var checkpoints = OpenCheckpoints(clients, admin, service, settings, found.PartitionCount, clock, metrics, logger, stopping);
        using var crashes = OpenCrashes(admin, service.Topics, settings, found.PartitionCount, clients.Group, clock, logger);
        var lastCommits = new CountdownEvent(settings.Lanes.Lanes); // Not disposed: a lane that is late still signals.
        var context = new LaneContext
        {
            LastCommits = lastCommits,
            Spacing = new CommitSpacing(settings.Lanes.Lanes, clock),
            Service = service,
            Settings = settings,
            Clients = clients,
            Admin = admin,
            Checkpoints = checkpoints,
            Crashes = crashes,
            Gaps = new InputGaps(found.PartitionCount, metrics),
            Ledger = ledger,
            PartitionCount = found.PartitionCount,
            ReadsLabels = found.HasLabels,
            Instance = settings.Kafka.InstanceId ?? string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}-{Interlocked.Increment(ref runs)}"),
            Planted = planted ?? Planted.Nothing,
            Metrics = metrics,
            Health = health,
            Clock = clock,
            Logger = logger,
        };
        LogMessages.Starting(
            logger, service.Definition.Service, service.Definition.Version, service.Definition.Digest[..12], settings.Lanes.Lanes, found.PartitionCount, service.Topics.Transactions, clients.Group);
        return await RunLanesAsync(context, reader, stopping);
    }

    /// <summary>Follows the models topic; done when all that stood on it was considered.</summary>
    /// <exception cref="CommandFailure">That took longer than a broker is waited for.</exception>
    private static async Task<ModelSubscription> FollowModelsAsync(
        WorkerSettings settings, KafkaClients clients, BrokerAdmin admin, Service service, int partitionCount, TimeProvider clock, WorkerMetrics metrics, ILogger logger, CancellationToken stopping)
    {
        var topics = service.Topics;
        var taken = TakenSequence.Read(settings.Serving.SequenceFile, topics.ModelsKey, settings.Serving.SequenceMin, logger);
        if (service.Models.IsFilled && service.Models.Current.Ensemble is { } given)
        {
            taken.Raise(given.Package.Manifest.Sequence, given.Sha256);
        }

        var offers = new ModelOffers(service, ModelLoader.ReadKeys(settings.Serving.VerificationKeys), taken, settings.Lanes.RowsMax, clock, metrics, logger);
        var subscription = new ModelSubscription(clients, topics, admin.EndOffsets(topics.Models, Enumerable.Range(0, partitionCount)), offers, metrics, logger);
        subscription.Start();
        try
        {
            await subscription.CaughtUp.WaitAsync(TimeSpan.FromSeconds(settings.Kafka.StartTimeoutSeconds), clock, stopping);
            return subscription;
        }
        catch (Exception late)
        {
            subscription.Dispose();
            throw late is TimeoutException or Confluent.Kafka.KafkaException
                ? new CommandFailure(ExitCode.Unavailable, FormattableString.Invariant($"topic {topics.Models} was not read to its end within {settings.Kafka.StartTimeoutSeconds} s (Kafka:StartTimeoutSeconds): {late.Message}"), late)
                : late;
        }
    }

    /// <summary>Prepares the reader that restores what the partitions told each other. A group that starts anew empties the topic first: it will tell everything again from the beginning.</summary>
    internal static AggregatesReader MakeReader(KafkaClients clients, BrokerAdmin admin, Service service, WorkerSettings settings, AggregatesLedger ledger, TimeProvider clock, WorkerMetrics metrics, ILogger logger, CancellationToken stopping)
    {
        var partitions = Enumerable.Range(0, ledger.Shared.SourceCount).ToList();
        RefuseSecondGroup(clients, admin, service.Topics, partitions);
        var ends = admin.EndOffsets(service.Topics.Aggregates, partitions);
        bool isNew = admin.IsNewGroup(clients.Group, service.Topics.Transactions, partitions)
            && !(settings.Kafka.IsExactlyOnce && StateGroup.CanGoOn(clients, service.Plan, service.Topics.State, admin.EndOffsets(service.Topics.State, partitions), clock, logger, stopping));
        if (isNew && !admin.TryEmpty(service.Topics.Aggregates, ends))
        {
            LogMessages.AggregatesKept(logger, service.Topics.Aggregates);
        }

        return new AggregatesReader(clients, service.Topics.Aggregates, ends, isNew, ledger, clock, metrics, logger);
    }

    /// <summary>The folder of checkpoints; filled first where nobody waits for this worker.</summary>
    private static CheckpointFolder? OpenCheckpoints(KafkaClients clients, BrokerAdmin admin, Service service, WorkerSettings settings, int partitionCount, TimeProvider clock, WorkerMetrics metrics, ILogger logger, CancellationToken stopping)
    {
        string topic = service.Topics.State;
        var folder = CheckpointFolder.Open(settings.Lanes.CheckpointDirectory, admin, topic, partitionCount, clock, metrics, logger);
        if (folder is not null)
        {
            CheckpointWarmUp.Run(
                clients, folder, service.Plan, topic, partitionCount, () => admin.OthersOwnAll(clients.Group, service.Topics.Transactions, partitionCount, settings.Kafka.InstanceId), clock, logger, stopping);
        }

        return folder;
    }

    /// <summary>Where it is noted what is in hand; null where no folder is given.</summary>
    private static CrashJournal? OpenCrashes(BrokerAdmin admin, ServiceTopics topics, WorkerSettings settings, int partitionCount, string group, TimeProvider clock, ILogger logger) =>
        (settings.Lanes.CrashDirectory ?? settings.Lanes.CheckpointDirectory) is { } directory
            ? CrashJournal.Open(directory, settings.Kafka.InstanceId is { } instance ? $"{group}.{instance}" : group, admin.TopicId(topics.Transactions) ?? topics.Transactions, partitionCount, clock, logger)
            : null;

    /// <summary>One aggregates topic serves one group (docs/decisions/0005): a second one, new, would empty it under the first.</summary>
    private static void RefuseSecondGroup(KafkaClients clients, BrokerAdmin admin, ServiceTopics topics, List<int> partitions)
    {
        if (!string.Equals(clients.Group, topics.Group, StringComparison.Ordinal) && admin.LivesOn(topics.Group, topics.Transactions, partitions))
        {
            throw new CommandFailure(
                ExitCode.Configuration,
                $"group {clients.Group} may not run: group {topics.Group} lives on {topics.Aggregates}, and two groups would mix what partitions tell each other there; for a trial give the definition another service name and topics of its own (topics.aggregates at least)");
        }
    }

    private static async Task<int> RunLanesAsync(LaneContext context, AggregatesReader? reader, CancellationToken stopping)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping); // Not disposed: a lane that is late still cancels it.
        using var told = stopping.Register(() =>
        {
            context.Health.Stopping();
            LogMessages.Draining(context.Logger);
        });
        var lanes = Enumerable.Range(0, context.Settings.Lanes.Lanes).Select(number => Start(number, context, stop)).ToList();
        context.Health.Started();
        var all = Task.WhenAll(lanes);
        var readerFailed = reader?.Failed ?? Task.Delay(Timeout.InfiniteTimeSpan, context.Clock, stop.Token);
        await Task.WhenAny(all, readerFailed, Task.Delay(Timeout.InfiniteTimeSpan, context.Clock, stop.Token));
        await stop.CancelAsync();
        await Task.WhenAny(all, Task.Delay(DrainTimeout, context.Clock, CancellationToken.None));
        int late = lanes.Count(lane => !lane.IsCompleted);
        if (late > 0)
        {
            LogMessages.LanesLate(context.Logger, late, DrainTimeout.TotalSeconds);
        }

        int exitCode = lanes.Select(lane => lane.IsCompleted ? lane.Result : ExitCode.Unavailable).FirstOrDefault(code => code != ExitCode.Ok);
        if (reader?.Failure is { } failure)
        {
            LogMessages.ReaderFailed(context.Logger, failure.Message, failure);
            exitCode = ExitCode.Internal;
        }

        LogMessages.Stopped(
            context.Logger,
            (long)context.Metrics.EventsScored.GetAllLabelValues().Sum(labels => context.Metrics.EventsScored.WithLabels(labels).Value),
            (long)context.Metrics.DeadLetters.GetAllLabelValues().Sum(labels => context.Metrics.DeadLetters.WithLabels(labels).Value));
        return exitCode;
    }

    /// <summary>Starts a lane's thread; the task ends with its exit code.</summary>
    private static Task<int> Start(int number, LaneContext context, CancellationTokenSource stop)
    {
        var ended = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                using var lane = new Lane(number, context);
                lane.Run(stop.Token);
                ended.SetResult(ExitCode.Ok);
            }
            catch (Exception failure) // The lane's edge: it ends before it commits, and the process with it.
            {
                LogMessages.LaneFailed(context.Logger, number, failure.Message, failure);
                context.Health.Failed(string.Create(CultureInfo.InvariantCulture, $"lane {number} ended"));
                stop.Cancel();
                ended.SetResult((failure as LaneFailure)?.ExitCode ?? (failure as CommandFailure)?.ExitCode ?? ExitCode.Internal);
            }
        })
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"lane {number}"),
            IsBackground = true,
        }.Start();
        return ended.Task;
    }
}
