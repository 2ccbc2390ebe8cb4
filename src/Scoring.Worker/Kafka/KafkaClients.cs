using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Kafka;

/// <summary>Builds every client of the worker, each with the settings that order and delivery rest on.</summary>
/// <remarks>The worker's only door to Kafka: what is virtual the simulator answers with clients of its own (<c>tests/Scoring.Simulation</c>).</remarks>
internal class KafkaClients(KafkaOptions options, string group, ILogger logger)
{
    /// <summary>After this the broker ends a transaction that its process leaves open.</summary>
    public static readonly TimeSpan TransactionTimeout = TimeSpan.FromSeconds(10);

    /// <summary>After this the group takes a silent member for dead.</summary>
    public static readonly TimeSpan SessionTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Group of the committed offsets.</summary>
    public string Group { get; } = group;

    /// <summary>Whether reading may go on after an error. Not when a decoder failed: its record would be passed over and its offset committed.</summary>
    public static bool MayGoOn(ConsumeException error) =>
        !error.Error.IsFatal && error.Error.Code is not (ErrorCode.Local_KeyDeserialization or ErrorCode.Local_ValueDeserialization);

    /// <summary>A lane's reader of transactions, a member of the group.</summary>
    /// <remarks>Topic names are not asked for (one topic only): each would be a string per message.</remarks>
    /// <param name="lane">Number of the lane, part of its static membership.</param>
    public virtual ConsumerBuilder<TKey, TValue> GroupReader<TKey, TValue>(int lane)
    {
        var config = Common(new ConsumerConfig
        {
            GroupId = Group,
            GroupInstanceId = options.InstanceId is { } instance ? FormattableString.Invariant($"{instance}-{lane}") : null,
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
            SessionTimeoutMs = (int)SessionTimeout.TotalMilliseconds,
            HeartbeatIntervalMs = 200, // A member learns of a rebalance by its next heartbeat, twice for a partition that moves: so long it is silent.
            MaxPollIntervalMs = 60_000,
        });
        config.StatisticsIntervalMs = LostBrokers.IntervalMs;
        return Logged(new ConsumerBuilder<TKey, TValue>(Reading(config, "headers,timestamp")));
    }

    /// <summary>A reader whose partitions are assigned by hand; it commits nothing.</summary>
    /// <param name="fields">What of a record beside key and value is asked for.</param>
    /// <param name="queuedKb">Most it fetches ahead.</param>
    /// <param name="fetchWaitMs">How long a broker without news holds the request.</param>
    /// <param name="isPolledOn">Whether it is asked for records all its life: then it does without brokers for ten seconds at most (<see cref="LostBrokers"/>). What the client tells of itself piles up in one that is not.</param>
    public virtual ConsumerBuilder<TKey, TValue> HandReader<TKey, TValue>(string fields, int queuedKb, int fetchWaitMs = 50, bool isPolledOn = false)
    {
        var config = Common(new ConsumerConfig { GroupId = Group, QueuedMaxMessagesKbytes = queuedKb, FetchWaitMaxMs = fetchWaitMs, CheckCrcs = true });
        config.StatisticsIntervalMs = isPolledOn ? LostBrokers.IntervalMs : 0;
        return Logged(new ConsumerBuilder<TKey, TValue>(Reading(config, fields)));
    }

    /// <summary>A reader of what a group has committed; it joins no group and fetches nothing.</summary>
    /// <remarks>The admin client has a call for this (<c>ListConsumerGroupOffsets</c>), and librdkafka 2.16 ends the process in it (SIGSEGV in <c>rd_kafka_handle_OffsetFetch</c>) when a broker
    /// answers that it does not coordinate the group (yet): one that has just started, or groups that are moving.</remarks>
    /// <param name="group">The group.</param>
    /// <param name="isStable">Whether commits of Kafka transactions under way are waited for, within the bound of a call.</param>
    public virtual ConsumerBuilder<Ignore, Ignore> OffsetsReader(string group, bool isStable)
    {
        var config = Common(new ConsumerConfig { GroupId = group });
        config.IsolationLevel = isStable ? IsolationLevel.ReadCommitted : IsolationLevel.ReadUncommitted;
        return Logged(new ConsumerBuilder<Ignore, Ignore>(config));
    }

    /// <summary>The idempotent producer of a lane. It is polled by its lane and has no thread of ours.</summary>
    /// <remarks>
    /// <c>message.timeout.ms</c> 0: a broker that is away is waited for (the lane's bound on what is in flight stops its input);
    /// a delivery fails only for reasons that waiting does not mend, and then the lane ends before it commits.
    /// <para>One request on its way to a broker at a time: an idempotent librdkafka 2.16 has one of each partition, and while another of the same partition is due its thread
    /// asks without pause whether it may go, which takes a whole core, unless one of another partition waits to be sent (docs/decisions/0014). A broker answers the requests
    /// of a connection one by one anyway. <c>linger.ms</c> makes two of a partition rarer, for the same reason.</para>
    /// </remarks>
    public virtual IProducer<byte[], byte[]> Producer()
    {
        var config = Common(new ProducerConfig
        {
            Acks = Acks.All,
            EnableIdempotence = true,
            MessageTimeoutMs = 0,
            MaxInFlight = 1,
            LingerMs = 5,
            CompressionType = CompressionType.Lz4,
            QueueBufferingMaxMessages = 2_000_000, // Both well above what lanes bound themselves to (LaneOutput.HasRoom):
            QueueBufferingMaxKbytes = 1_048_576,   // they stop reading and go on polling; a full queue would stop them mid-batch.
            MessageMaxBytes = 2_000_000,
            EnableBackgroundPoll = false,
            DeliveryReportFields = "none",
        });
        return new ProducerBuilder<byte[], byte[]>(config)
            .SetLogHandler((_, message) => Log(message))
            .SetErrorHandler((_, error) => Log(error))
            .Build();
    }

    /// <summary>The transactional producer of a lane: output exactly once.</summary>
    /// <remarks>
    /// A transaction that its process leaves open holds up every reader of committed records until <c>transaction.timeout.ms</c>. <c>retry.backoff.ms</c> is
    /// what a commit that was asked for twice is known by (<see cref="Lanes.TransactionalOutput.GhostAfter"/>). Nothing is reported of single records: the commit fails when one does.
    /// <para><c>linger.ms</c>: nobody sees a record before the commit, which flushes. Until then only full batches go: what is due makes the client's thread spin, as of <see cref="Producer"/>. It must stay
    /// below <c>message.timeout.ms</c>, which is that of the transaction.</para>
    /// <para><c>connections.max.idle.ms</c>: <c>SendOffsetsToTransaction</c> does not keep its bound where the group's coordinator has died; a connection that is closed makes it ask for another (docs/decisions/0029).</para>
    /// </remarks>
    /// <param name="transactionalId">Stable name of the lane.</param>
    public virtual IProducer<byte[], byte[]> TransactionalProducer(string transactionalId)
    {
        var config = Common(new ProducerConfig
        {
            TransactionalId = transactionalId,
            TransactionTimeoutMs = (int)TransactionTimeout.TotalMilliseconds,
            RetryBackoffMs = 500,
            SocketTimeoutMs = 6_000,
            LingerMs = 6_000,
            CompressionType = CompressionType.Lz4,
            QueueBufferingMaxMessages = 2_000_000,
            QueueBufferingMaxKbytes = 1_048_576,
            MessageMaxBytes = 2_000_000,
            EnableBackgroundPoll = false,
            EnableDeliveryReports = false,
            ConnectionsMaxIdleMs = 10_000,
        });

        // When all connections break, librdkafka 2.16 by default forgets all brokers and looks for them anew; but it keeps the one it has forgotten as the
        // group's coordinator, and SendOffsetsToTransaction then waits for that one without end. Without forgetting it does not.
        config.Set("metadata.recovery.strategy", "none");
        return new ProducerBuilder<byte[], byte[]>(config)
            .SetLogHandler((_, message) => Log(message))
            .SetErrorHandler((_, error) => Log(error))
            .Build();
    }

    /// <summary>A producer that chooses partitions as Java's clients do, for replay.</summary>
    public IProducer<byte[], byte[]> KeyedProducer()
    {
        var config = Common(new ProducerConfig
        {
            Acks = Acks.All,
            EnableIdempotence = true,
            LingerMs = 5,
            CompressionType = CompressionType.Lz4,
            Partitioner = Partitioner.Murmur2Random,
            DeliveryReportFields = "none",
        });
        return new ProducerBuilder<byte[], byte[]>(config)
            .SetLogHandler((_, message) => Log(message))
            .SetErrorHandler((_, error) => Log(error))
            .Build();
    }

    /// <summary>A client for questions and for topics.</summary>
    public virtual IAdminClient Admin() => new AdminClientBuilder(Common(new AdminClientConfig()))
        .SetLogHandler((_, message) => Log(message))
        .SetErrorHandler((_, error) => Log(error))
        .Build();

    /// <summary>Asks where partitions end or begin: Confluent.Kafka has the question in a class of its own, not in <see cref="IAdminClient"/>.</summary>
    public virtual Task<ListOffsetsResult> ListOffsetsAsync(IAdminClient admin, IEnumerable<TopicPartitionOffsetSpec> asked, ListOffsetsOptions options) => admin.ListOffsetsAsync(asked, options);

    /// <summary>Makes a call that may take long beside the thread that wants it.</summary>
    public virtual Task InBackground(Action call) => Task.Run(call);

    /// <summary>Logs what a client tells of itself.</summary>
    public void Log(Error error) => LogMessages.KafkaClient(logger, error.IsFatal ? LogLevel.Error : LogLevel.Warning, error.IsFatal ? "fatal" : "error", error.Reason);

    private static ConsumerConfig Reading(ConsumerConfig config, string fields)
    {
        config.EnableAutoCommit = false;
        config.EnableAutoOffsetStore = false;
        config.AutoOffsetReset = AutoOffsetReset.Earliest; // Only where retention has passed a position: starts are explicit.
        config.IsolationLevel = IsolationLevel.ReadCommitted;
        config.EnablePartitionEof = true;
        config.FetchWaitMaxMs ??= 50;
        config.Set("fetch.queue.backoff.ms", "5"); // By default a full local queue stalls fetching for a second.
        config.ConsumeResultFields = fields;
        return config;
    }

    private T Common<T>(T config)
        where T : ClientConfig
    {
        foreach (var (name, value) in options.Client)
        {
            config.Set(name, value);
        }

        config.BootstrapServers = options.BootstrapServers;
        config.ClientId = "fraudscoring";
        return config;
    }

    private ConsumerBuilder<TKey, TValue> Logged<TKey, TValue>(ConsumerBuilder<TKey, TValue> builder) =>
        builder.SetLogHandler((_, message) => Log(message)).SetErrorHandler((_, error) => Log(error)).SetStatisticsHandler(new LostBrokers(options.BootstrapServers, logger).Look);

    private void Log(LogMessage message) => LogMessages.KafkaClient(logger, message.Level <= SyslogLevel.Warning ? LogLevel.Warning : LogLevel.Debug, message.Facility, message.Message);
}
