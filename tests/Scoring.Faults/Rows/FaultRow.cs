using Scoring.Faults.Measuring;

namespace Scoring.Faults.Rows;

/// <summary>A kind of fault.</summary>
/// <param name="Name">On the command line.</param>
/// <param name="Number">In the list of faults, docs/reliability.md.</param>
/// <param name="Title">In the table.</param>
/// <param name="BrokersMin">Brokers of our own that it needs; 0: it leaves brokers alone.</param>
/// <param name="InjectAsync">One fault, and what heals it.</param>
internal sealed record FaultRow(string Name, string Number, string Title, int BrokersMin, Func<FaultRun, Task> InjectAsync)
{
    /// <summary>Most brokers that it is about.</summary>
    public int BrokersMax { get; init; } = int.MaxValue;

    /// <summary>Whether each worker reaches the broker by a wire of its own.</summary>
    public bool IsWired { get; init; }

    /// <summary>What must stand before the workers start.</summary>
    public Func<FaultRun, Task> PrepareAsync { get; init; } = _ => Task.CompletedTask;

    /// <summary>What must be so beside the verdict when all is done.</summary>
    public Action<FaultRun, Verdict> Judge { get; init; } = (_, _) => { };

    /// <summary>Every row, what most often happens first.</summary>
    public static IReadOnlyList<FaultRow> All { get; } =
    [
        new("kill", "1", "worker killed (SIGKILL), restarted", 0, WorkerFaults.KillAsync),
        new("pause", "3", "worker stopped for 3 s (SIGSTOP)", 0, WorkerFaults.PauseAsync),
        new("zombie", "2", "worker stopped for 15 s, taken over, awake again", 0, WorkerFaults.ZombieAsync),
        new("scale", "15", "workers join and leave, one to three", 0, GroupFaults.ScaleAsync),
        new("storm", "14", "workers join and leave without a rest", 0, GroupFaults.StormAsync),
        new("restart", "39", "SIGTERM and restart, twice quickly", 0, WorkerFaults.RestartTwiceAsync),
        new("broker-kill", "5", "the only broker killed, restarted", 1, BrokerFaults.KillAsync) { BrokersMax = 1 },
        new("broker-pause", "6", "broker stopped for 8 s", 1, BrokerFaults.PauseAsync),
        new("leader-kill", "4", "one broker of three killed, restarted", 3, BrokerFaults.KillAsync),
        new("poison", "16", "20 broken events, then a worker killed", 0, WorkerFaults.PoisonAsync),
        new("offsets", "35", "offsets of the empty group deleted", 0, GroupFaults.DeleteOffsetsAsync),
        new("identity", "41", "a second worker under a name in use", 0, GroupFaults.SameNameAsync),
        new("definition", "40", "definition changed between restarts", 0, GroupFaults.ChangeDefinitionAsync),
        new("corpus", "23", "3,000 malformed events of every kind", 0, EventFaults.MalformedAsync),
        new("shuffled", "21", "2,000 payments late by seconds to a week, shuffled", 0, EventFaults.ShuffledAsync),
        new("repeats", "22", "2,000 payments sent again, a quarter with another amount", 0, EventFaults.RepeatAsync),
        new("schema", "30", "events with new members, and with a changed type", 0, EventFaults.ChangeSchemaAsync),
        new("labels", "29", "6,000 labels: unknown payments, contradictions, repetitions", 0, EventFaults.FloodLabelsAsync),
        new("keys", "19", "10,000 new accounts and as many payments of one", 0, EventFaults.FloodKeysAsync),
        new("giants", "18", "events and labels of 100 kB to 12 MB", 0, EventFaults.GiantsAsync) { PrepareAsync = EventFaults.AllowGiantsAsync },
        new("cut", "11", "worker cut off from the broker, for 5 s or until it is replaced", 1, NetworkFaults.CutAsync) { BrokersMax = 1, IsWired = true },
        new("one-way", "12", "requests arrive, answers do not, for 5 or 20 s", 1, NetworkFaults.DropAnswersAsync) { BrokersMax = 1, IsWired = true },
        new("state", "24", "a record in the state topic that no worker wrote", 0, StateFaults.CorruptAsync),
        new("hanging", "34", "a transaction of somebody else stands open in the state topic", 0, StateFaults.HangAsync),
        new("retention", "31", "input deleted that nobody has read", 0, RetentionFaults.LoseInputAsync) { Judge = RetentionFaults.Judge },
        new("packages", "26", "13 bad model packages offered, then a worker killed", 0, ModelFaults.OfferBadAsync) { PrepareAsync = ModelFaults.OfferGoodAsync, Judge = ModelFaults.Judge },
        new("memory", "38", "a worker whose heap is full, restarted with enough", 0, MemoryFaults.LimitAsync),
        new("coordinators", "8", "one broker of three restarted in peace, leads again", 3, BrokerFaults.MoveCoordinatorsAsync),
    ];

    /// <summary>Whether it can run with so many brokers of our own.</summary>
    public bool IsPossible(int ownBrokers) => ownBrokers >= BrokersMin && ownBrokers <= BrokersMax;
}
