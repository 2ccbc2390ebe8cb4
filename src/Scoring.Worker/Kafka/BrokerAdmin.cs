using System.Numerics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Polly;
using Polly.Retry;
using Scoring.Worker.Commands;

namespace Scoring.Worker.Kafka;

/// <summary>Questions to the brokers, each repeated within a bound and then given up with an exit code.</summary>
internal sealed class BrokerAdmin : IDisposable
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ToldTimeout = TimeSpan.FromSeconds(10);

    /// <summary>What brokers answer that cannot tell the members of a group, or that do not know the group.</summary>
    private static readonly ErrorCode[] NoMembersKnown =
        [ErrorCode.Local_UnsupportedFeature, ErrorCode.UnsupportedVersion, ErrorCode.Local_NotImplemented, ErrorCode.GroupIdNotFound];

    /// <summary>What says that nobody who could decide has heard the question.</summary>
    private static readonly ErrorCode[] NoAnswer =
    [
        ErrorCode.Local_TimedOut, ErrorCode.Local_TimedOutQueue, ErrorCode.Local_Transport, ErrorCode.Local_AllBrokersDown, ErrorCode.Local_Resolve,
        ErrorCode.RequestTimedOut, ErrorCode.NetworkException, ErrorCode.BrokerNotAvailable, ErrorCode.LeaderNotAvailable, ErrorCode.NotLeaderForPartition,
        ErrorCode.ReplicaNotAvailable, ErrorCode.KafkaStorageError, ErrorCode.FencedLeaderEpoch, ErrorCode.UnknownLeaderEpoch,
    ];

    private readonly KafkaClients clients;
    private readonly IAdminClient admin;
    private readonly string servers;
    private readonly TimeSpan bound;
    private readonly TimeProvider clock;
    private readonly CancellationToken stopping;
    private int silent;

    /// <summary>Connects lazily.</summary>
    /// <param name="clients">Builds the client.</param>
    /// <param name="servers">For messages, and for a client that has let go of all brokers.</param>
    /// <param name="bound">Longest time to wait for an answer.</param>
    /// <param name="clock">Measures it.</param>
    /// <param name="stopping">Ends the repeating: a process that is told to stop waits for no broker.</param>
    public BrokerAdmin(KafkaClients clients, string servers, TimeSpan bound, TimeProvider clock, CancellationToken stopping = default)
    {
        this.clients = clients;
        admin = clients.Admin();
        this.servers = servers;
        this.bound = bound;
        this.clock = clock;
        this.stopping = stopping;
    }

    /// <summary>Partition counts of the topics that exist.</summary>
    /// <exception cref="CommandFailure">No broker answered within the bound.</exception>
    public IReadOnlyDictionary<string, int> PartitionCounts()
    {
        var metadata = Ask(() => admin.GetMetadata(CallTimeout));
        return metadata.Topics.Where(topic => !topic.Error.IsError).ToDictionary(topic => topic.Topic, topic => topic.Partitions.Count, StringComparer.Ordinal);
    }

    /// <summary>Waits until the broker that answers tells of topics: whoever makes one learns that the controller has it, and brokers hear of it a moment later.</summary>
    /// <returns>The first of which it still does not tell after 10 s, or not to this user; null when it tells of all.</returns>
    /// <exception cref="CommandFailure">No broker answered within the bound.</exception>
    public string? AwaitTopics(IReadOnlyCollection<string> topics)
    {
        return Repeat(
            () =>
            {
                var known = PartitionCounts();
                return topics.FirstOrDefault(topic => !known.ContainsKey(topic));
            },
            told => told.Result is not null,
            ToldTimeout);
    }

    /// <summary>End offsets, counting records of transactions that are still open.</summary>
    /// <remarks>A <c>read_committed</c> consumer's own figures stop at the last stable offset: state restored up to there could be stale.</remarks>
    public IReadOnlyDictionary<int, long> EndOffsets(string topic, IEnumerable<int> partitions)
    {
        int[] asked = [.. partitions];
        return Ask(() => EndOffsetsAsync(topic, asked, IsolationLevel.ReadUncommitted).GetAwaiter().GetResult());
    }

    /// <summary>Whether a group starts anew: it has committed nothing of a topic and has no members.</summary>
    /// <exception cref="CommandFailure">No broker could tell within the bound: nobody may guess, the answer decides whether contributions are removed.</exception>
    public bool IsNewGroup(string group, string topic, IEnumerable<int> partitions) =>
        !HasCommitted(group, topic, partitions) && Ask(() => Members(group)).Count == 0;

    /// <summary>Whether a group has committed offsets of a topic, or members that read it. One that is still joining is not noticed.</summary>
    /// <exception cref="CommandFailure">No broker could tell within the bound.</exception>
    public bool LivesOn(string group, string topic, IEnumerable<int> partitions) =>
        HasCommitted(group, topic, partitions)
        || Ask(() => Members(group)).Any(member => member.Assignment.TopicPartitions.Any(partition => string.Equals(partition.Topic, topic, StringComparison.Ordinal)));

    private bool HasCommitted(string group, string topic, IEnumerable<int> partitions)
    {
        List<TopicPartition> asked = [.. partitions.Select(partition => new TopicPartition(topic, partition))];
        using var reader = clients.OffsetsReader(group, isStable: true).Build();
        return Committed(group, asked, () => reader.Committed(asked, CallTimeout)).Exists(committed => committed.Offset != Offset.Unset);
    }

    /// <summary>What a group has committed, asked until it tells.</summary>
    /// <param name="group">The group.</param>
    /// <param name="partitions">What it is asked about; for messages.</param>
    /// <param name="question">Asks it; commits of Kafka transactions that are under way are waited for.</param>
    /// <exception cref="CommandFailure">It did not tell within the bound.</exception>
    public List<TopicPartitionOffset> Committed(string group, IReadOnlyCollection<TopicPartition> partitions, Func<List<TopicPartitionOffset>> question)
    {
        try
        {
            return Ask(question);
        }
        catch (CommandFailure untold) when (untold.InnerException is KafkaException { Error.Code: ErrorCode.Local_TimedOut })
        {
            // The client asks again by itself while the group answers UNSTABLE_OFFSET_COMMIT: a transaction with offsets of these partitions is not ended. Ours end within ten seconds.
            throw new CommandFailure(
                ExitCode.Unavailable,
                $"group {group} at {servers} does not tell what it has committed of {string.Join(", ", partitions)}: either its coordinator does not answer, or a transaction hangs in __consumer_offsets, as a broker can leave it when it crashes (kafka-transactions.sh find-hanging, abort)",
                untold);
        }
    }

    /// <summary>Removes everything before the given offsets.</summary>
    /// <returns>False when the broker would not.</returns>
    /// <exception cref="CommandFailure">No broker answered within the bound: a refusal, which somebody has to do something about, is another matter.</exception>
    public bool TryEmpty(string topic, IReadOnlyDictionary<int, long> before)
    {
        var offsets = before.Where(offset => offset.Value > 0).Select(offset => new TopicPartitionOffset(topic, offset.Key, offset.Value)).ToList();
        return offsets.Count == 0 || Ask(() =>
        {
            try
            {
                // librdkafka 2.16 does not end this call when the leader has gone: the bound is ours.
                admin.DeleteRecordsAsync(offsets, new DeleteRecordsOptions { RequestTimeout = CallTimeout, OperationTimeout = CallTimeout }).WaitAsync(CallTimeout + Grace).GetAwaiter().GetResult();
                return true;
            }
            catch (TimeoutException late)
            {
                throw new KafkaException(new Error(ErrorCode.Local_TimedOut, "the broker did not answer in time"), late);
            }
            catch (DeleteRecordsException refused)
            {
                var errors = refused.Results.ConvertAll(result => result.Error).FindAll(error => error.IsError);
                return errors.TrueForAll(IsNoAnswer) ? throw new KafkaException(errors.FirstOrDefault() ?? refused.Error, refused) : false;
            }
            catch (KafkaException refused) when (!IsNoAnswer(refused.Error))
            {
                return false;
            }
        });
    }

    /// <summary>End offsets that a <c>read_committed</c> reader can reach, asked once.</summary>
    public Task<IReadOnlyDictionary<int, long>> StableEndOffsetsAsync(string topic, IEnumerable<int> partitions) => EndOffsetsAsync(topic, partitions, IsolationLevel.ReadCommitted);

    /// <summary>Ends of some partitions, by number, of each of some topics, counting records of transactions that are still open; asked once.</summary>
    public async Task<IReadOnlyList<TopicPartitionOffset>> EndsAsync(IReadOnlyList<string> topics, IReadOnlyList<int> partitions)
    {
        var ends = new List<TopicPartitionOffset>();
        foreach (string topic in partitions.Count == 0 ? [] : topics)
        {
            ends.AddRange((await EndOffsetsAsync(topic, partitions, IsolationLevel.ReadUncommitted)).Select(end => new TopicPartitionOffset(topic, end.Key, end.Value)));
        }

        return ends;
    }

    /// <summary>The first partition in which a Kafka transaction is open that began before an offset; null where none is. Asked once.</summary>
    public async Task<TopicPartition?> FirstOpenAsync(IReadOnlyList<TopicPartitionOffset> before)
    {
        var topics = before.GroupBy(offset => offset.Topic, StringComparer.Ordinal).ToList();
        var stable = await Task.WhenAll(topics.Select(topic => StableEndOffsetsAsync(topic.Key, topic.Select(offset => offset.Partition.Value))));
        return topics.Zip(stable).SelectMany(told => told.First.Where(offset => told.Second[offset.Partition.Value] < offset.Offset.Value)).FirstOrDefault()?.TopicPartition;
    }

    /// <summary>End of one partition, counting records of transactions that are still open, asked once.</summary>
    public async Task<long> EndOffsetAsync(string topic, int partition) => (await EndOffsetsAsync(topic, [partition], IsolationLevel.ReadUncommitted))[partition];

    /// <summary>Identifier of a topic: one that is made anew under the same name has another. Null where the broker knows none.</summary>
    /// <exception cref="CommandFailure">No broker answered within the bound.</exception>
    public string? TopicId(string topic) => Ask(() =>
    {
        try
        {
            var described = admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([topic]), new DescribeTopicsOptions { RequestTimeout = CallTimeout }).GetAwaiter().GetResult();
            var id = described.TopicDescriptions[0].TopicId;
            return id is null || (id.MostSignificantBits | id.LeastSignificantBits) == 0 ? null : FormattableString.Invariant($"{id.MostSignificantBits:x16}{id.LeastSignificantBits:x16}");
        }
        catch (KafkaException refused) when (NoMembersKnown.Contains(refused.Error.Code))
        {
            return null;
        }
    });

    /// <summary>A setting of a topic; null where the broker does not tell, or not to this user.</summary>
    public string? TopicSetting(string topic, string name)
    {
        try
        {
            var described = admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = topic }], new DescribeConfigsOptions { RequestTimeout = CallTimeout }).GetAwaiter().GetResult();
            return described[0].Entries.TryGetValue(name, out var entry) ? entry.Value : null;
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    /// <summary>Whether every partition of a topic is read by a member of a group, and none of the members is an instance that is starting now. Not where nobody tells.</summary>
    /// <param name="group">The group.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="partitionCount">Its partitions.</param>
    /// <param name="instance">What the static names of the instance's members begin with; null where it has none.</param>
    public bool OthersOwnAll(string group, string topic, int partitionCount, string? instance)
    {
        try
        {
            var members = Members(group);
            int owned = members.SelectMany(member => member.Assignment.TopicPartitions).Where(partition => string.Equals(partition.Topic, topic, StringComparison.Ordinal)).Distinct().Count();
            return owned == partitionCount && !members.Exists(member => instance is not null && IsLaneOf(instance, member.GroupInstanceId));
        }
        catch (KafkaException)
        {
            return false;
        }
    }

    /// <summary>Creates a topic.</summary>
    /// <returns>False when there is one of that name; it stays as it is.</returns>
    /// <exception cref="CommandFailure">The broker refused.</exception>
    public bool Create(string topic, int partitions, int replicas, Dictionary<string, string> settings)
    {
        var specification = new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = (short)replicas, Configs = settings };
        try
        {
            Ask(() =>
            {
                admin.CreateTopicsAsync([specification], new CreateTopicsOptions { RequestTimeout = CallTimeout, OperationTimeout = CallTimeout }).GetAwaiter().GetResult();
                return true;
            });
            return true;
        }
        catch (CreateTopicsException refused) when (refused.Results[0].Error.Code == ErrorCode.TopicAlreadyExists)
        {
            return false;
        }
        catch (CreateTopicsException refused)
        {
            throw new CommandFailure(ExitCode.Configuration, $"topic {topic} was not created: {refused.Results[0].Error.Reason}", refused);
        }
    }

    /// <summary>Asks until there is an answer: each question has the whole bound to itself.</summary>
    /// <exception cref="CommandFailure">No broker answered within the bound.</exception>
    /// <exception cref="OperationCanceledException">The process is told to stop.</exception>
    public T Ask<T>(Func<T> question)
    {
        try
        {
            return Repeat(question, told => told.Exception is KafkaException { Error.IsFatal: false } and not CreateTopicsException, bound); // A topic that cannot be made is an answer, not silence.
        }
        catch (KafkaException unanswered) when (unanswered is not CreateTopicsException)
        {
            throw new CommandFailure(
                ExitCode.Unavailable,
                $"no answer from Kafka at {servers} within {bound.TotalSeconds:0} s ({unanswered.Error.Reason}); check Kafka:BootstrapServers (environment: Kafka__BootstrapServers)",
                unanswered);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => admin.Dispose();

    private static bool IsNoAnswer(Error error) => NoAnswer.Contains(error.Code);

    /// <summary>Asks again twice a second while what came of it says so, for a time; what came last counts.</summary>
    private T Repeat<T>(Func<T> question, Predicate<Outcome<T>> again, TimeSpan time)
    {
        long started = clock.GetTimestamp();
        return new ResiliencePipelineBuilder<T> { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions<T>
            {
                MaxRetryAttempts = int.MaxValue,
                Delay = TimeSpan.FromMilliseconds(500),
                ShouldHandle = arguments => ValueTask.FromResult(again(arguments.Outcome) && clock.GetElapsedTime(started) < time),
            })
            .Build()
            .Execute(_ => question(), stopping);
    }

    /// <summary>Whether a static name is <c>INSTANCE-LANE</c>.</summary>
    private static bool IsLaneOf(string instance, string? name) =>
        name is not null && name.Length > instance.Length + 1 && name.StartsWith(instance + "-", StringComparison.Ordinal) && !name.AsSpan(instance.Length + 1).ContainsAnyExceptInRange('0', '9');

    private List<MemberDescription> Members(string group)
    {
        try
        {
            var described = admin.DescribeConsumerGroupsAsync([group], new DescribeConsumerGroupsOptions { RequestTimeout = CallTimeout }).GetAwaiter().GetResult();
            return described.ConsumerGroupDescriptions[0].Members;
        }
        catch (DescribeConsumerGroupsException refused) when (NoMembersKnown.Contains(refused.Results.ConsumerGroupDescriptions[0].Error.Code))
        {
            return [];
        }
        catch (KafkaException refused) when (NoMembersKnown.Contains(refused.Error.Code))
        {
            return []; // The embedded broker: it serves one process.
        }
    }

    private async Task<IReadOnlyDictionary<int, long>> EndOffsetsAsync(string topic, IEnumerable<int> partitions, IsolationLevel isolation)
    {
        var asked = partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new(topic, partition), OffsetSpec = OffsetSpec.Latest() });
        try
        {
            var answer = await clients.ListOffsetsAsync(admin, asked, new ListOffsetsOptions { IsolationLevel = isolation, RequestTimeout = CallTimeout });
            silent = 0;
            return answer.ResultInfos.ToDictionary(info => info.TopicPartitionOffsetError.Partition.Value, info => info.TopicPartitionOffsetError.Offset.Value);
        }
        catch (ListOffsetsException refused)
        {
            // After an election, be it of the only broker that was away for a while, the client asks with the leader and the epoch it remembers, is refused
            // (FENCED_LEADER_EPOCH) and does not look for the new one by itself, for up to a quarter of an hour.
            await clients.InBackground(() => admin.GetMetadata(topic, CallTimeout));
            throw new KafkaException(refused.Result.ResultInfos.Select(info => info.TopicPartitionOffsetError.Error).FirstOrDefault(error => error.IsError) ?? refused.Error, refused);
        }
        catch (KafkaException unanswered) when (unanswered.Error.IsLocalError)
        {
            if (BitOperations.IsPow2(++silent))
            {
                admin.AddBrokers(servers); // It may have let go of all brokers (LostBrokers).
            }

            throw;
        }
    }
}
