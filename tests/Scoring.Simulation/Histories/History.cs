using Confluent.Kafka;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Clients;
using Scoring.Simulation.Scheduling;
using Scoring.Worker.Commands;

namespace Scoring.Simulation.Histories;

/// <summary>One seed's history: 1. payments flow and faults happen, 2. all heals and must be drained, 3. a worker that starts anew answers the last events, 4. it is judged.</summary>
internal sealed class History
{
    private const int WorkersMax = 3;

    private static readonly long DrainBound = 240 * World.Second;
    private static readonly long StopBound = 15 * World.Second;
    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly World world;
    private readonly HistoryPlan plan;
    private readonly Surroundings around;
    private readonly BrokerPace pace;
    private readonly Random random;
    private readonly List<string> violations = [];
    private readonly List<SimulatedWorker> workers = [];
    private readonly List<SimulatedWorker> started = [];
    private int runs;
    private int unavailable;
    private bool isHealed;
    private bool isOver;

    private History(HistoryPlan plan, SimulatedService simulated, ActorThreads threads, TextWriter? trace)
    {
        this.plan = plan;
        world = new World(threads, trace) { ThreadsAreLate = plan.ThreadsAreLate };
        random = new Random(unchecked((plan.Seed * 31) + 17));
        pace = new BrokerPace(random, plan.SlowMarkers, plan.LostMarkers);
        var topics = simulated.Service.Topics;
        var broker = new SimulatedBroker(world, pace, plan.Partitions);
        foreach (string topic in new[] { topics.Transactions, topics.Labels, topics.Scores, topics.Alerts, topics.DeadLetters, topics.Aggregates, topics.State })
        {
            broker.CreateTopic(topic, plan.Partitions);
        }

        around = new Surroundings(world, new SimulatedClock(world, Begin), new Network(world, random, plan.Network) { Inputs = [topics.Transactions, topics.Labels] }, broker, plan, simulated);
    }

    /// <summary>Runs a seed's history.</summary>
    public static Outcome Run(HistoryPlan plan, SimulatedService simulated, ActorThreads threads, TextWriter? trace = null) => new History(plan, simulated, threads, trace).Run();

    private Outcome Run()
    {
        var payments = new Payments(random, plan.Partitions);
        payments.Days((int)(plan.Events * plan.Before)).ForEach(Write);
        for (int number = 0; number < plan.Workers; number++)
        {
            StartLater(number, number * random.Next(1_000));
        }

        foreach (var fault in plan.Faults)
        {
            world.At(fault.AtMs * World.Millisecond, () => Happen(fault));
        }

        world.At(plan.ActiveMs * World.Millisecond, Heal);
        int left = plan.Events - (int)(plan.Events * plan.Before);
        bool isDrained = IsDrained("of what was there");
        while (isDrained && (left > 0 || !isHealed))
        {
            int count = Math.Max(1, random.Next(2, 25));
            left -= count;
            WriteLater(payments.Handful(count), random.Next(300));
            world.Park(world.Now + (random.Next(300, 2_500) * World.Millisecond));
            isDrained = IsDrained("under way");
            AwaitCalm();
        }

        if (isDrained)
        {
            Renew();
            WriteLater(payments.Handful(plan.LastEvents), 1_000);
            world.Park(world.Now + (1_100 * World.Millisecond));
            IsDrained("by a worker that started anew");
        }

        isHealed = true;
        StopAll();
        var judgement = new Judgement(around);
        try
        {
            AwaitDecisions();
            violations.AddRange(judgement.Verify());
        }
        catch (Exception failure) when (failure is CommandFailure or KafkaException)
        {
            violations.Add("the verifier: " + failure.Message);
        }

        if (world.Failure is { } unexpected)
        {
            violations.Add("the simulator: " + unexpected);
        }

        started.ForEach(worker => worker.Dispose());
        var topics = new TopicsAtTheEnd(around);
        if (world.IsTraced)
        {
            topics.Print();
        }

        return new Outcome
        {
            Seed = plan.Seed,
            Violations = violations,
            Hash = topics.Hash(),
            Seconds = world.Now / (double)World.Second,
            Events = world.Events,
            Records = Logs(around.Simulated.Service.Topics.Transactions).Sum(log => log.End),
            Values = judgement.Values,
            Unavailable = unavailable,
        };
    }

    private PartitionLog[] Logs(string topic) => around.Broker.Topics[topic];

    private void Write(InputRecord record)
    {
        var topics = around.Simulated.Service.Topics;
        around.Broker.Log(new TopicPartition(record.IsLabel ? topics.Labels : topics.Transactions, record.Partition)).Append(record.Record);
    }

    private void WriteLater(List<InputRecord> records, int withinMs)
    {
        long begin = world.Now;
        foreach (var (at, record) in records.Select(_ => (long)(random.NextDouble() * withinMs * World.Millisecond)).Order().Zip(records))
        {
            world.At(begin + at, () => Write(record));
        }
    }

    private void StartLater(int number, int afterMs) => world.At(world.Now + (afterMs * World.Millisecond), () =>
    {
        if (!isOver && !workers.Exists(worker => worker.Number == number))
        {
            world.Trace("history", FormattableString.Invariant($"starts w{number}.{runs}"));
            var worker = new SimulatedWorker(around, number, runs++, Ended);
            workers.Add(worker);
            started.Add(worker);
        }
    });

    /// <summary>A worker has ended: by itself only as it may, and then a supervisor starts it again.</summary>
    private void Ended(SimulatedWorker worker)
    {
        workers.Remove(worker);
        // Requests for an identity that arrive late shut a producer out that has one: three within a minute look like another process of the same name. A network that bad is rare.
        bool hasShutItselfOut = worker.ExitCode == ExitCode.Configuration && worker.Reason.Contains("transactional identifier", StringComparison.Ordinal);
        if (worker.ExitCode == ExitCode.Unavailable || hasShutItselfOut)
        {
            unavailable++;
        }
        else if (worker.ExitCode != ExitCode.Ok && worker.ExitCode is not null)
        {
            violations.Add(FormattableString.Invariant($"a worker ended with {worker.ExitCode}: {worker.Reason}"));
            if (violations.Count > 20)
            {
                return; // It does nothing but end.
            }
        }

        if (worker.ExitCode != ExitCode.Ok || !worker.IsStopping)
        {
            StartLater(worker.Number, random.Next(50, 2_000));
        }
    }

    private void Happen(PlannedFault fault)
    {
        if (isHealed)
        {
            return;
        }

        long until = world.Now + (fault.Ms * World.Millisecond);
        var worker = workers.Count == 0 ? null : workers[fault.Worker % workers.Count];
        world.Trace("history", FormattableString.Invariant($"{fault.Kind} {worker?.Process.Name} {fault.Ms} ms {fault.Calls} calls"));
        switch (fault.Kind)
        {
            case FaultKind.Hold:
                around.Network.Hold(until);
                break;
            case FaultKind.Scale when workers.Count < WorkersMax && fault.Calls % 2 == 0:
                StartLater(Enumerable.Range(0, WorkersMax).First(number => !workers.Exists(one => one.Number == number)), 0);
                break;
            case FaultKind.Scale when workers.Count > 1:
                worker!.Stop();
                break;
            case FaultKind.Kill when worker is not null:
                worker.Process.CallsLeft = fault.Calls;
                worker.Process.WhenDead = () =>
                {
                    workers.Remove(worker);
                    StartLater(worker.Number, random.Next(10, 3_000));
                };
                break;
            case FaultKind.Freeze:
                worker?.Process.Freeze(until);
                break;
            case FaultKind.Cut when worker is not null:
                around.Network.Cut(worker.Process, until);
                break;
            case FaultKind.Restart when worker is not null:
                worker.Stop();
                StartLater(worker.Number, fault.Ms + 4_000);
                break;
            default:
                break;
        }
    }

    private void Heal()
    {
        world.Trace("history", "heals");
        isHealed = true;
        around.Network.IsHealed = true;
        pace.IsHealed = true;
        workers.ForEach(worker => worker.Process.CallsLeft = 0);
        if (workers.Count == 0)
        {
            StartLater(0, 0);
        }
    }

    /// <summary>Waits until all input is committed.</summary>
    private bool IsDrained(string when)
    {
        string topic = around.Simulated.Service.Topics.Transactions;
        for (long bound = world.Now + DrainBound; ;)
        {
            if (Logs(topic).All(log => around.Broker.Group.Offsets.GetValueOrDefault(log.Name) >= log.End))
            {
                return true;
            }

            if (world.Now > bound || violations.Count > 20)
            {
                violations.Add(FormattableString.Invariant($"not drained within {DrainBound / World.Second} s {when}"));
                return false;
            }

            if (workers.Count == 0 && isHealed)
            {
                StartLater(0, 0);
            }

            world.Park(world.Now + (50 * World.Millisecond));
        }
    }

    /// <summary>Waits until all workers have heard of what is committed, markers that come late too: as of <see cref="Payments"/>.</summary>
    private void AwaitCalm()
    {
        world.Park(Math.Max(world.Now, around.Broker.Transactions.MarkedBy));
        while (workers.Select(worker => Math.Max(worker.Process.FrozenUntil, around.Network.FreeAt(worker.Process))).Append(0).Max() is var calm && calm > world.Now)
        {
            world.Park(calm);
        }

        world.Park(world.Now + (plan.CalmMs * World.Millisecond));
    }

    /// <summary>Ends all workers, in peace or not, and starts one.</summary>
    private void Renew()
    {
        if (random.Next(2) == 0)
        {
            foreach (var worker in workers.ToList())
            {
                workers.Remove(worker);
                worker.Process.Kill();
            }
        }
        else
        {
            StopThose();
        }

        StartLater(random.Next(WorkersMax), 0);
    }

    private void StopAll()
    {
        isOver = true;
        StopThose();
        world.Park(world.Now + World.Second); // Threads of what was killed unwind.
    }

    private void StopThose()
    {
        long awake = workers.Select(worker => worker.Process.FrozenUntil).Append(world.Now).Max(); // Who stands still cannot stop.
        for (long bound = awake + StopBound; workers.Count > 0 && world.Now < bound;)
        {
            workers.ForEach(worker => worker.Stop()); // Also those that a supervisor starts meanwhile.
            world.Park(world.Now + (50 * World.Millisecond));
        }

        foreach (var worker in workers.ToList())
        {
            violations.Add(FormattableString.Invariant($"{worker.Process.Name} does not stop"));
            workers.Remove(worker);
            worker.Process.Kill();
        }
    }

    /// <summary>Waits until no transaction is open: what dead producers left the broker ends by itself.</summary>
    private void AwaitDecisions()
    {
        for (long bound = world.Now + (40 * World.Second); around.Broker.Transactions.HasOpen;)
        {
            if (world.Now > bound)
            {
                violations.Add("a transaction stays open");
                return;
            }

            world.Park(world.Now + (100 * World.Millisecond));
        }
    }
}
