using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Scheduling;
using Scoring.Worker.Configuration;
using Scoring.Worker.Kafka;

namespace Scoring.Simulation.Clients;

/// <summary>The clients of one simulated process: those of the worker, but for what they talk to.</summary>
internal sealed class SimulatedClients(World world, Network network, SimulatedBroker broker, SimulatedProcess process, int seed, KafkaOptions options, string group, ILogger logger)
    : KafkaClients(options, group, logger)
{
    private readonly Random random = new(seed);
    private readonly World world = world;
    private readonly Network network = network;
    private readonly SimulatedBroker broker = broker;
    private readonly SimulatedProcess process = process;
    private readonly string? instance = options.InstanceId;

    /// <summary>Whether answers come at once: for what only looks, when all is over.</summary>
    public bool IsObserver { get; init; }

    /// <inheritdoc/>
    public override ConsumerBuilder<TKey, TValue> GroupReader<TKey, TValue>(int lane) =>
        new Builder<TKey, TValue>(this, instance is null ? null : FormattableString.Invariant($"{instance}-{lane}"));

    /// <inheritdoc/>
    public override ConsumerBuilder<TKey, TValue> HandReader<TKey, TValue>(string fields, int queuedKb, int fetchWaitMs = 50, bool isPolledOn = false) => new Builder<TKey, TValue>(this, instanceId: null);

    /// <inheritdoc/>
    public override ConsumerBuilder<Ignore, Ignore> OffsetsReader(string group, bool isStable) => new Builder<Ignore, Ignore>(this, instanceId: null, isStable);

    /// <inheritdoc/>
    public override IProducer<byte[], byte[]> TransactionalProducer(string transactionalId) =>
        new SimulatedProducer(world, network, broker, process, random, transactionalId, TransactionTimeout.Ticks);

    /// <inheritdoc/>
    public override IAdminClient Admin() => new SimulatedAdmin(world, network, broker, process);

    /// <inheritdoc/>
    public override Task<ListOffsetsResult> ListOffsetsAsync(IAdminClient admin, IEnumerable<TopicPartitionOffsetSpec> asked, ListOffsetsOptions options)
    {
        List<TopicPartitionOffsetSpec> partitions = [.. asked];
        bool committedOnly = options.IsolationLevel == IsolationLevel.ReadCommitted;
        var simulated = (SimulatedAdmin)admin;
        return committedOnly && !IsObserver ? simulated.ListOffsetsLater(partitions) : Task.FromResult(simulated.ListOffsets(partitions, committedOnly, options.RequestTimeout ?? TimeSpan.FromSeconds(5)));
    }

    /// <summary>At once, and on the caller's thread: there is no other.</summary>
    public override Task InBackground(Action call)
    {
        try
        {
            call();
            return Task.CompletedTask;
        }
        catch (KafkaException failure)
        {
            return Task.FromException(failure);
        }
    }

    private sealed class Builder<TKey, TValue>(SimulatedClients clients, string? instanceId, bool isStable = true) : ConsumerBuilder<TKey, TValue>([])
    {
        public override IConsumer<TKey, TValue> Build()
        {
            IConsumer<TKey, TValue>? built = null;
            var handlers = new SimulatedConsumer<TKey, TValue>.Handlers(
                PartitionsAssignedHandler is { } assigned ? partitions => assigned(built!, partitions) : null,
                PartitionsRevokedHandler is { } revoked ? offsets => revoked(built!, offsets) : null,
                PartitionsLostHandler is { } lost ? offsets => lost(built!, offsets) : null);
            built = new SimulatedConsumer<TKey, TValue>(
                clients.world, clients.network, clients.broker, clients.process, clients.random, instanceId, KeyDeserializer ?? Default<TKey>(), ValueDeserializer ?? Default<TValue>(), handlers)
            {
                IsStable = isStable,
            };
            return built;
        }

        private static IDeserializer<T> Default<T>() => (IDeserializer<T>)(typeof(T) == typeof(byte[]) ? Deserializers.ByteArray : (object)Deserializers.Ignore);
    }
}
