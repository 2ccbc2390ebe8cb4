using System.Globalization;
using Confluent.Kafka;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Broker;

/// <summary>A group of Kafka's classic protocol whose members assign cooperatively, as its members see it; its offsets.</summary>
/// <remarks>JoinGroup and SyncGroup are one step: the assignment is computed here, not by a leader. What is to move is first taken, and given in the next generation.</remarks>
internal sealed class GroupCoordinator(World world, int partitionCount)
{
    private readonly Dictionary<string, Member> members = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> statics = new(StringComparer.Ordinal);
    private readonly Dictionary<TopicPartition, long> offsets = [];
    private readonly Dictionary<long, Dictionary<TopicPartition, long>> pending = [];
    private readonly List<string> wentBack = [];
    private int generation;
    private int memberNumber;
    private bool isPreparing;
    private int round;

    /// <summary>Members now.</summary>
    public IEnumerable<string> Members => members.Keys;

    /// <summary>Committed offsets.</summary>
    public IReadOnlyDictionary<TopicPartition, long> Offsets => offsets;

    /// <summary>Commits of an offset before the one that was committed: who reads from it would answer once more what is answered.</summary>
    public IReadOnlyList<string> WentBack => wentBack;

    /// <summary>Whether a transaction holds offsets of a partition that are not decided.</summary>
    public bool IsUnstable(TopicPartition partition) => pending.Values.Any(transaction => transaction.ContainsKey(partition));

    /// <summary>A member joins, or comes again; it is answered when all have.</summary>
    public void Join(GroupMembership who, IReadOnlyList<int> owned, long sessionTimeout, long rebalanceTimeout, Action<JoinAnswer> answer)
    {
        string memberId = who.MemberId;
        if (memberId.Length == 0)
        {
            memberId = string.Create(CultureInfo.InvariantCulture, $"m{++memberNumber}");
            var member = new Member { SessionTimeout = sessionTimeout, RebalanceTimeout = rebalanceTimeout, InstanceId = who.InstanceId };
            if (who.InstanceId is { } name && statics.TryGetValue(name, out string? before) && members.Remove(before, out var replaced))
            {
                // A static member that comes back takes the place of what it was; nobody else hears of it.
                replaced.Answer?.Invoke(new JoinAnswer(ErrorCode.FencedInstanceId, "", -1, []));
                member.Partitions = replaced.Partitions;
                statics[name] = memberId;
                Add(memberId, member);
                if (!isPreparing && members.Values.Sum(one => one.Partitions.Count) == partitionCount)
                {
                    answer(new JoinAnswer(ErrorCode.NoError, memberId, generation, [.. member.Partitions]));
                    return;
                }
            }
            else
            {
                if (who.InstanceId is { } fresh)
                {
                    statics[fresh] = memberId;
                }

                Add(memberId, member);
            }
        }
        else if (Check(who) is var error && error != ErrorCode.NoError)
        {
            answer(new JoinAnswer(error, "", -1, []));
            return;
        }

        var joining = members[memberId];
        joining.Owned = who.Generation == generation || generation == 0 ? owned : [];
        joining.Answer = answer;
        Touch(memberId, joining);
        Prepare();
        CompleteIfAll();
    }

    /// <summary>A member lives.</summary>
    public ErrorCode Heartbeat(GroupMembership who)
    {
        var error = Check(who);
        if (error != ErrorCode.NoError)
        {
            return error;
        }

        Touch(who.MemberId, members[who.MemberId]);
        return isPreparing ? ErrorCode.RebalanceInProgress : who.Generation != generation ? ErrorCode.IllegalGeneration : ErrorCode.NoError;
    }

    /// <summary>A member leaves; a static one stays until its session ends.</summary>
    public void Leave(string memberId)
    {
        if (members.TryGetValue(memberId, out var member) && member.InstanceId is null)
        {
            Remove(memberId);
        }
    }

    /// <summary>Commits at once: only for tests of what is around.</summary>
    public ErrorCode Commit(GroupMembership who, IReadOnlyList<TopicPartitionOffset> committed)
    {
        var error = Check(who);
        if (error == ErrorCode.NoError && who.Generation != generation)
        {
            error = ErrorCode.IllegalGeneration;
        }

        for (int i = 0; error == ErrorCode.NoError && i < committed.Count; i++)
        {
            offsets[committed[i].TopicPartition] = committed[i].Offset.Value;
        }

        return error;
    }

    /// <summary>Takes offsets into a transaction.</summary>
    /// <remarks>As Kafka: who names no member, no generation and no instance is believed.</remarks>
    public ErrorCode CommitInTransaction(long producerId, GroupMembership who, IReadOnlyList<TopicPartitionOffset> committed)
    {
        if (who.Generation >= 0 || who.MemberId.Length > 0 || who.InstanceId is not null)
        {
            var error = Check(who);
            if (error != ErrorCode.NoError)
            {
                return error;
            }

            if (who.Generation != generation)
            {
                return ErrorCode.IllegalGeneration;
            }
        }

        if (!pending.TryGetValue(producerId, out var transaction))
        {
            transaction = [];
            pending.Add(producerId, transaction);
        }

        foreach (var offset in committed)
        {
            transaction[offset.TopicPartition] = offset.Offset.Value;
        }

        return ErrorCode.NoError;
    }

    /// <summary>A transaction is decided.</summary>
    public void Decide(long producerId, bool isCommit)
    {
        if (pending.Remove(producerId, out var transaction) && isCommit)
        {
            foreach (var (partition, offset) in transaction)
            {
                if (offsets.TryGetValue(partition, out long before) && offset < before)
                {
                    wentBack.Add(string.Create(CultureInfo.InvariantCulture, $"{partition.Topic} [{partition.Partition.Value}] went back from {before} to {offset}"));
                }

                offsets[partition] = offset;
            }

            world.Trace("broker", $"offsets of {producerId} {string.Join(' ', transaction.Select(one => $"{one.Key.Topic[^1]}{one.Key.Partition.Value}:{one.Value}"))}");
        }
    }

    private ErrorCode Check(GroupMembership who)
    {
        if (who.InstanceId is { } name && statics.TryGetValue(name, out string? current) && !string.Equals(current, who.MemberId, StringComparison.Ordinal))
        {
            return who.MemberId.Length == 0 ? ErrorCode.UnknownMemberId : ErrorCode.FencedInstanceId;
        }

        return members.ContainsKey(who.MemberId) ? ErrorCode.NoError : ErrorCode.UnknownMemberId;
    }

    private void Add(string memberId, Member member)
    {
        members.Add(memberId, member);
        Touch(memberId, member);
    }

    private void Touch(string memberId, Member member)
    {
        long seen = member.Seen = world.Now;
        if (!member.IsWatched)
        {
            Watch(memberId, member, seen + member.SessionTimeout);
        }
    }

    /// <summary>Looks when the session would end; one that waits for the others is not thrown out.</summary>
    private void Watch(string memberId, Member member, long at)
    {
        member.IsWatched = true;
        world.At(at, () =>
        {
            if (!members.TryGetValue(memberId, out var now) || now != member)
            {
                return;
            }

            if (member.Answer is null && member.Seen + member.SessionTimeout <= world.Now)
            {
                Remove(memberId);
            }
            else
            {
                Watch(memberId, member, Math.Max(member.Seen + member.SessionTimeout, world.Now + World.Second));
            }
        });
    }

    private void Remove(string memberId)
    {
        if (members.Remove(memberId, out var member))
        {
            world.Trace("broker", $"{memberId} left the group");
            if (member.InstanceId is { } name && statics.TryGetValue(name, out string? current) && string.Equals(current, memberId, StringComparison.Ordinal))
            {
                statics.Remove(name);
            }

            if (members.Count > 0)
            {
                Prepare();
                CompleteIfAll();
            }
            else
            {
                isPreparing = false;
                generation++;
            }
        }
    }

    private void Prepare()
    {
        if (isPreparing)
        {
            return;
        }

        isPreparing = true;
        int mine = ++round;
        long bound = members.Values.Max(member => member.RebalanceTimeout);
        world.At(world.Now + bound, () =>
        {
            if (isPreparing && round == mine)
            {
                foreach (string late in members.Where(member => member.Value.Answer is null).Select(member => member.Key).ToList())
                {
                    members.Remove(late); // Its place goes to the others; it hears of it at its next heartbeat.
                }

                CompleteIfAll();
            }
        });
    }

    private void CompleteIfAll()
    {
        if (!isPreparing || members.Count == 0 || members.Values.Any(member => member.Answer is null))
        {
            return;
        }

        isPreparing = false;
        generation++;
        Assign();
        world.Trace("broker", $"generation {generation}: {string.Join(", ", members.Select(member => $"{member.Key} {string.Join('+', member.Value.Partitions)}"))}");
        foreach (var (memberId, member) in members)
        {
            var answer = member.Answer!;
            member.Answer = null;
            member.Seen = world.Now;
            answer(new JoinAnswer(ErrorCode.NoError, memberId, generation, [.. member.Partitions]));
        }
    }

    /// <summary>Everybody keeps what is his up to his share; the rest goes to who has least; what somebody else still has is given in the next round.</summary>
    private void Assign()
    {
        var order = members.Keys.Order(StringComparer.Ordinal).ToList();
        var target = order.ToDictionary(member => member, _ => new List<int>(), StringComparer.Ordinal);
        var owner = new string?[partitionCount];
        int most = (partitionCount + order.Count - 1) / order.Count;
        int larger = partitionCount % order.Count == 0 ? order.Count : partitionCount % order.Count;
        foreach (string member in order)
        {
            foreach (int partition in members[member].Owned)
            {
                owner[partition] ??= member;
            }
        }

        for (int partition = 0; partition < partitionCount; partition++)
        {
            if (owner[partition] is { } member && Fits(target[member]))
            {
                target[member].Add(partition);
            }
        }

        var placed = target.Values.SelectMany(partitions => partitions).ToHashSet();
        for (int partition = 0; partition < partitionCount; partition++)
        {
            if (!placed.Contains(partition))
            {
                string least = order.MinBy(member => target[member].Count)!;
                if (owner[partition] is null)
                {
                    target[least].Add(partition);
                }
                else
                {
                    target[least].Add(-1); // Held for it.
                }
            }
        }

        foreach (string member in order)
        {
            members[member].Partitions = [.. target[member].Where(partition => partition >= 0).Order()];
        }

        bool Fits(List<int> has)
        {
            if (has.Count + 1 < most)
            {
                return true;
            }

            return has.Count < most && (has.Count + 1 < most || target.Values.Count(one => one.Count == most) < larger);
        }
    }

    private sealed class Member
    {
        public required long SessionTimeout { get; init; }

        public required long RebalanceTimeout { get; init; }

        public string? InstanceId { get; init; }

        public IReadOnlyList<int> Owned { get; set; } = [];

        public IReadOnlyList<int> Partitions { get; set; } = [];

        public Action<JoinAnswer>? Answer { get; set; }

        public long Seen { get; set; }

        public bool IsWatched { get; set; }
    }
}
