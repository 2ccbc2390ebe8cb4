namespace Scoring.Faults.Rows;

/// <summary>A kind of fault.</summary>
/// <param name="Name">On the command line.</param>
/// <param name="Number">In the list of faults, docs/reliability.md.</param>
/// <param name="Title">In the table.</param>
/// <param name="BrokersMin">Brokers of our own that it needs; 0: it leaves brokers alone.</param>
/// <param name="InjectAsync">One fault, and what heals it.</param>
internal sealed record FaultRow(string Name, string Number, string Title, int BrokersMin, Func<FaultRun, Task> InjectAsync)
{
    /// <summary>Every row, what most often happens first.</summary>
    public static IReadOnlyList<FaultRow> All { get; } =
    [
        new("kill", "1", "worker killed (SIGKILL), restarted", 0, WorkerFaults.KillAsync),
        new("pause", "3", "worker stopped for 3 s (SIGSTOP)", 0, WorkerFaults.PauseAsync),
        new("zombie", "2", "worker stopped for 15 s, taken over, awake again", 0, WorkerFaults.ZombieAsync),
        new("scale", "15", "workers join and leave, one to three", 0, GroupFaults.ScaleAsync),
        new("storm", "14", "workers join and leave without a rest", 0, GroupFaults.StormAsync),
        new("restart", "39", "SIGTERM and restart, twice quickly", 0, WorkerFaults.RestartTwiceAsync),
        new("broker-kill", "5", "the only broker killed, restarted", 1, BrokerFaults.KillAsync),
        new("broker-pause", "6", "broker stopped for 8 s", 1, BrokerFaults.PauseAsync),
        new("leader-kill", "4", "one broker of three killed, restarted", 3, BrokerFaults.KillAsync),
        new("poison", "16", "20 broken events, then a worker killed", 0, WorkerFaults.PoisonAsync),
        new("offsets", "35", "offsets of the empty group deleted", 0, GroupFaults.DeleteOffsetsAsync),
        new("identity", "41", "a second worker under a name in use", 0, GroupFaults.SameNameAsync),
        new("definition", "40", "definition changed between restarts", 0, GroupFaults.ChangeDefinitionAsync),
    ];

    /// <summary>Whether it can run with so many brokers of our own; row 5 is about the only one, row 4 about one of several.</summary>
    public bool IsPossible(int ownBrokers) => ownBrokers >= BrokersMin && !(Number == "5" && ownBrokers > 1);
}
