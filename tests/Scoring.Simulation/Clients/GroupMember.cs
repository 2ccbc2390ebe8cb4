using Confluent.Kafka;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Clients;

/// <summary>What the group has decided, waiting for the application's next poll.</summary>
internal enum Decision
{
    /// <summary>Partitions come.</summary>
    Assign,

    /// <summary>Partitions go, and are still its own.</summary>
    Revoke,

    /// <summary>Partitions are another's.</summary>
    Lose,
}

/// <summary>A consumer's place in its group, kept by threads of the client: heartbeats, joining, losing it.</summary>
internal sealed class GroupMember
{
    private static readonly long SessionTimeout = 10 * World.Second;
    private static readonly long RebalanceTimeout = 60 * World.Second;
    private static readonly long HeartbeatInterval = World.Second / 5;

    private readonly World world;
    private readonly Network network;
    private readonly GroupCoordinator group;
    private readonly SimulatedProcess process;
    private readonly string? instanceId;
    private readonly Action decided;
    private readonly SortedSet<int> owned = [];
    private readonly SortedSet<int> told = [];
    private readonly Queue<(Decision Decision, List<int> Partitions)> decisions = new();
    private bool isJoining;
    private bool isClosed;
    private bool isAsking;
    private bool isServing;
    private bool mustRejoin;
    private long heardAt;

    /// <summary>Joins.</summary>
    public GroupMember(World world, Network network, GroupCoordinator group, SimulatedProcess process, string? instanceId, Action decided)
    {
        this.world = world;
        this.network = network;
        this.group = group;
        this.process = process;
        this.instanceId = instanceId;
        this.decided = decided;
        Membership = new GroupMembership("", -1, instanceId);
        heardAt = world.Now;
        Join();
        Beat();
    }

    /// <summary>Who it believes to be.</summary>
    public GroupMembership Membership { get; private set; }

    /// <summary>Whether the application has to be told something.</summary>
    public bool HasDecided => decisions.Count > 0;

    /// <summary>Whether another took its static place.</summary>
    public bool IsFenced { get; private set; }

    /// <summary>Tells the application what was decided first. Until it is done with all of that, the member joins nothing.</summary>
    /// <param name="tell">Calls its handler.</param>
    public void Serve(Action<Decision, List<int>> tell)
    {
        var (decision, partitions) = decisions.Dequeue();
        isServing = true;
        tell(decision, partitions);
        isServing = false;
        if (decision == Decision.Assign)
        {
            told.UnionWith(partitions);
        }
        else
        {
            told.ExceptWith(partitions);
            owned.ExceptWith(partitions);
            mustRejoin = true;
        }

        if (mustRejoin && decisions.Count == 0)
        {
            Join();
        }
    }

    /// <summary>Leaves; a static member is missed when its session ends.</summary>
    public void Leave()
    {
        if (!isClosed)
        {
            isClosed = true;
            string memberId = Membership.MemberId;
            if (!process.IsDead && memberId.Length > 0)
            {
                network.Deliver(process, () => group.Leave(memberId));
            }
        }
    }

    private void Join()
    {
        if (isJoining || isClosed || IsFenced)
        {
            return;
        }

        isJoining = true;
        mustRejoin = false;
        var who = Membership;
        int[] mine = [.. owned];
        network.Deliver(process, () =>
        {
            if (!process.IsDead && !isClosed)
            {
                group.Join(who, mine, SessionTimeout, RebalanceTimeout, answer => network.Return(process, () => Joined(answer)));
            }
        });
    }

    private void Joined(JoinAnswer answer)
    {
        isJoining = false;
        if (isClosed)
        {
            return;
        }

        if (answer.Error != ErrorCode.NoError)
        {
            Refused(answer.Error);
            return;
        }

        heardAt = world.Now;
        Membership = new GroupMembership(answer.MemberId, answer.Generation, instanceId);
        world.Trace(process.Name, $"{answer.MemberId}/{answer.Generation} owns {string.Join('+', answer.Partitions)}");
        List<int> gone = [.. owned.Except(answer.Partitions)];
        List<int> come = [.. answer.Partitions.Except(owned)];
        if (gone.Count > 0)
        {
            decisions.Enqueue((Decision.Revoke, gone));
        }

        if (come.Count > 0 || gone.Count == 0)
        {
            owned.UnionWith(come);
            decisions.Enqueue((Decision.Assign, come));
        }

        decided();
    }

    private void Beat()
    {
        world.At(world.Now + HeartbeatInterval, () => process.Defer(() =>
        {
            if (isClosed || IsFenced || process.IsDead)
            {
                return;
            }

            if (Membership.MemberId.Length > 0 && world.Now - heardAt > SessionTimeout && !isJoining)
            {
                Refused(ErrorCode.UnknownMemberId);
            }
            else if (Membership.MemberId.Length > 0 && !isAsking && !isJoining)
            {
                isAsking = true;
                var who = Membership;
                network.Deliver(process, () =>
                {
                    var code = group.Heartbeat(who);
                    network.Return(process, () => Heard(who, code));
                });
            }

            Beat();
        }));
    }

    private void Heard(GroupMembership asked, ErrorCode code)
    {
        isAsking = false;
        if (asked != Membership || isJoining || isClosed)
        {
            return;
        }

        if (code is ErrorCode.NoError or ErrorCode.RebalanceInProgress)
        {
            heardAt = world.Now;
            if (code == ErrorCode.RebalanceInProgress && decisions.Count == 0 && !isServing)
            {
                Join();
            }

            return;
        }

        Refused(code);
    }

    /// <summary>As librdkafka: an unknown member forgets its name and keeps its generation, one of another generation the other way round.</summary>
    private void Refused(ErrorCode code)
    {
        if (code == ErrorCode.FencedInstanceId)
        {
            IsFenced = true;
            decided();
            return;
        }

        world.Trace(process.Name, $"{Membership.MemberId} is no member any more: {code}");
        Membership = code == ErrorCode.IllegalGeneration ? Membership with { Generation = -1 } : Membership with { MemberId = "" };
        heardAt = world.Now;
        if (isServing || decisions.Count > 0)
        {
            mustRejoin = true; // As soon as the application is done with what it was told.
            return;
        }

        if (owned.Count > 0)
        {
            decisions.Enqueue((Decision.Lose, [.. owned]));
            decided();
        }
        else
        {
            Join();
        }
    }
}
