using Scoring.Models.Features;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Clients;
using Scoring.Simulation.Scheduling;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Kafka;
using Scoring.Worker.Lanes;
using Scoring.Worker.Operations;

namespace Scoring.Simulation.Histories;

/// <summary>What all workers of a history have in common.</summary>
internal sealed record Surroundings(World World, SimulatedClock Clock, Network Network, SimulatedBroker Broker, HistoryPlan Plan, SimulatedService Simulated);

/// <summary>One run of a worker: what <see cref="WorkerProcess"/> does from the topics on, each thread an actor.</summary>
internal sealed class SimulatedWorker : IDisposable
{
    private readonly Surroundings around;
    private readonly World world;
    private readonly string? instanceId;
    private readonly int run;
    private readonly CancellationTokenSource stop = new();
    private readonly Action<SimulatedWorker> ended;
    private readonly Actor main;
    private int lanesLeft;

    /// <summary>Starts it.</summary>
    /// <param name="around">The history's.</param>
    /// <param name="number">Of the worker.</param>
    /// <param name="run">How many have started in the history.</param>
    /// <param name="ended">Told when it has ended by itself, or when it was told to.</param>
    public SimulatedWorker(Surroundings around, int number, int run, Action<SimulatedWorker> ended)
    {
        this.around = around;
        this.run = run;
        this.ended = ended;
        Number = number;
        world = around.World;
        instanceId = around.Plan.AreNamed ? FormattableString.Invariant($"w{number}") : null;
        Process = new SimulatedProcess(world, FormattableString.Invariant($"w{number}.{run}"));
        main = world.Start(Process.Name, Process, Run);
    }

    /// <summary>Its number among the workers.</summary>
    public int Number { get; }

    /// <summary>The process.</summary>
    public SimulatedProcess Process { get; }

    /// <summary>Its exit code; null while it runs, or when it was killed.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>What it said when it ended by itself.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Whether it was told to stop.</summary>
    public bool IsStopping => stop.IsCancellationRequested;

    /// <summary>SIGTERM.</summary>
    public void Stop() => stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => stop.Dispose();

    private void Run()
    {
        try
        {
            Work();
            ExitCode ??= Worker.Commands.ExitCode.Ok;
        }
        catch (Exception failure) when (failure is not ProcessKilledException)
        {
            Process.ThrowIfDead();
            Fail(failure);
        }

        world.Trace(Process.Name, $"ends with {ExitCode}");
        Process.Kill(); // Threads that are left go with it.
        ended(this);
    }

    private void Work()
    {
        var simulated = around.Simulated;
        var (service, plan) = (simulated.Service, around.Plan);
        var logger = new TraceLogger(world, Process.Name);
        var settings = Settings();
        var clients = new SimulatedClients(world, around.Network, around.Broker, Process, HashCode(plan.Seed, run), settings.Kafka, service.Topics.Group, logger);
        using var admin = new BrokerAdmin(clients, "simulated", TimeSpan.FromSeconds(settings.Kafka.StartTimeoutSeconds), around.Clock, stop.Token);
        var found = TopicCheck.Check(admin.PartitionCounts(), service, settings, logger);
        using var ledger = new SimulatedLedger(world, new SharedAggregates(service.Plan, found.PartitionCount), found.PartitionCount);
        using var reader = WorkerProcess.MakeReader(clients, admin, service, settings, ledger, around.Clock, simulated.Metrics, logger, stop.Token);
        var reading = world.Start(Process.Name + ".r", Process, () =>
        {
            reader.Run();
            if (reader.Failure is not null)
            {
                stop.Cancel(); // Without contributions no lane may go on.
            }

            world.Wake(main);
        });
        while (!reader.Restored.IsCompleted && !reader.Failed.IsCompleted && !stop.IsCancellationRequested)
        {
            world.Park(world.Now + (10 * World.Millisecond));
        }

        if (reader.Restored.IsCompletedSuccessfully && !stop.IsCancellationRequested)
        {
            Lanes(Context());
        }

        reader.Stop();
        while (!reading.IsDone)
        {
            world.Park(world.Now + (10 * World.Millisecond));
        }

        if (reader.Failure is { } failure)
        {
            (ExitCode, Reason) = (Worker.Commands.ExitCode.Internal, failure.ToString());
        }

        LaneContext Context() => new()
        {
            LastCommits = new CountdownEvent(settings.Lanes.Lanes),
            Spacing = new CommitSpacing(settings.Lanes.Lanes, around.Clock),
            Service = service,
            Settings = settings,
            Clients = clients,
            Admin = admin,
            Gaps = new InputGaps(found.PartitionCount, simulated.Metrics),
            Ledger = ledger,
            PartitionCount = found.PartitionCount,
            ReadsLabels = found.HasLabels,
            Instance = instanceId ?? Process.Name,
            Planted = plan.Bug == PlantedBug.None ? Planted.Nothing : new Planted(plan.Bug, 0, plan.Seed),
            Metrics = simulated.Metrics,
            Health = new HealthState(settings.Lanes.Lanes, around.Clock),
            Clock = around.Clock,
            Logger = logger,
        };
    }

    private void Lanes(LaneContext context)
    {
        lanesLeft = context.Settings.Lanes.Lanes;
        for (int lane = 0; lane < context.Settings.Lanes.Lanes; lane++)
        {
            int number = lane;
            world.Start(FormattableString.Invariant($"{Process.Name}.{number}"), Process, () => Lane(number, context));
        }

        while (lanesLeft > 0)
        {
            world.Park(world.Now + (100 * World.Second)); // The last lane wakes it.
        }
    }

    private void Lane(int number, LaneContext context)
    {
        try
        {
            using var lane = new Lane(number, context);
            lane.Run(stop.Token);
        }
        catch (Exception failure) when (failure is not ProcessKilledException)
        {
            Process.ThrowIfDead();
            Fail(failure);
            stop.Cancel();
        }

        lanesLeft--;
        world.Wake(main);
    }

    private void Fail(Exception failure)
    {
        ExitCode ??= failure is OperationCanceledException && stop.IsCancellationRequested ? Worker.Commands.ExitCode.Ok : (failure as LaneFailure)?.ExitCode ?? (failure as CommandFailure)?.ExitCode ?? Worker.Commands.ExitCode.Internal;
        Reason = Reason.Length > 0 ? Reason : ExitCode == Worker.Commands.ExitCode.Internal ? failure.ToString() : failure.Message;
        world.Trace(Process.Name, $"fails: {ExitCode} {failure.Message}");
    }

    private static int HashCode(int seed, int run) => unchecked((seed * 7_919) + (run * 104_729) + 1);

    private WorkerSettings Settings() => new()
    {
        Kafka = new KafkaOptions { InstanceId = instanceId, BootstrapServers = "simulated:9092" },
        Lanes = new LaneOptions
        {
            Lanes = around.Plan.Lanes,
            RowsMax = around.Plan.RowsMax,
            StateIntervalMs = around.Plan.StateIntervalMs,
            InFlightMax = 1_000,
            StagedRowsMax = 256,
            RefusedBytesMax = 1, // One of them.
            EmitFeatures = true,
        },
        Operations = new OperationsOptions(),
        Serving = new ServingOptions { WithoutModel = true },
        Aggregates = new AggregatesOptions(),
    };
}
