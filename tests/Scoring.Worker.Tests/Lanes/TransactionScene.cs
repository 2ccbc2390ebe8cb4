using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Configuration;
using Scoring.Worker.Demo;
using Scoring.Worker.Kafka;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>A lane's transactions against an embedded broker, which answers what it is told to.</summary>
/// <remarks>
/// The broker hides no aborted record, keeps no offset of a transaction and fences nobody: what a reader of committed records sees is shown
/// with a real one elsewhere. Here stands what the client says to each error, and that the next transaction commits.
/// </remarks>
public sealed class TransactionScene : IDisposable
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    internal static readonly TopicPartition Target = new("out", 0);

    private readonly KafkaClients clients;
    private readonly IConsumer<Ignore, Ignore> member;
    private long position;
    private Offset readTo = Offset.Beginning;

    public TransactionScene()
    {
        Broker.CreateTopic("in", 1);
        Broker.CreateTopic(Target.Topic, 2);
        clients = new KafkaClients(Options(Broker), "group", NullLogger.Instance);
        member = clients.GroupReader<Ignore, Ignore>(0).Build();
        Output = new TransactionalOutput(Build, inFlightMax: 1_000, TimeProvider.System);
        Begin();
    }

    internal EmbeddedBroker Broker { get; } = EmbeddedBroker.Start();

    internal TransactionalOutput Output { get; }

    /// <summary>The producer of now.</summary>
    internal WatchedProducer Producer { get; private set; } = null!;

    /// <summary>Whose offsets join a transaction.</summary>
    internal IConsumerGroupMetadata Member => member.ConsumerGroupMetadata;

    /// <summary>Settings of clients.</summary>
    internal static KafkaOptions Options(EmbeddedBroker broker) => new()
    {
        BootstrapServers = broker.BootstrapServers,
        Group = "group",
        Client = new Dictionary<string, string>(StringComparer.Ordinal) { ["session.timeout.ms"] = "6000" },
    };

    /// <summary>A ready producer without a transaction and a broker without orders, whatever was before.</summary>
    internal void Begin()
    {
        foreach (var request in Enum.GetValues<TransactionRequest>())
        {
            Broker.Take((short)request);
        }

        Broker.AnswerAfter(TimeSpan.Zero);
        if (Output.IsOpen || !Output.IsReady)
        {
            Replace();
        }
    }

    /// <summary>Gives the producer up and makes another, however often that has to be asked for.</summary>
    internal void Replace()
    {
        Output.Replace();
        for (long started = TimeProvider.System.GetTimestamp(); !Output.TryInitialise(TimeSpan.FromSeconds(1));)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, "there is no producer");
        }
    }

    internal void Refuse(TransactionRequest request, ErrorCode error, int times = 1) => Broker.Refuse((short)request, (int)error, times);

    internal void Produce(string value) => Produce(Encoding.UTF8.GetBytes(value));

    internal void Produce(ReadOnlySpan<byte> value) => Output.Produce(Target, default, value, hasKey: false);

    /// <summary>Calls a commit until it wants to be called no more.</summary>
    /// <returns>Its answer, how often it was called and whether it says that it took too long.</returns>
    internal (TransactionAnswer Answer, int Calls, bool TookTooLong) Commit()
    {
        long started = TimeProvider.System.GetTimestamp();
        position++;
        for (int calls = 1; ; calls++)
        {
            bool tookTooLong;
            var answer = Output.IsCommitting ? Output.GoOn(out tookTooLong) : Output.Commit([new TopicPartitionOffset("in", 0, position)], Member, out tookTooLong);
            if (answer != TransactionAnswer.CallAgain)
            {
                return (answer, calls, tookTooLong);
            }

            Assert.False(tookTooLong);
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, "the commit does not end");
        }
    }

    /// <summary>The open transaction is aborted. On a machine that stands still meanwhile that is not certain, and the producer is replaced.</summary>
    /// <returns>Whether the same producer goes on.</returns>
    internal bool Aborts()
    {
        long started = TimeProvider.System.GetTimestamp();
        if (Output.TryAbort())
        {
            return true;
        }

        Assert.True(TimeProvider.System.GetElapsedTime(started) >= TransactionalOutput.GhostAfter, "the abort is refused");
        Replace();
        return false;
    }

    /// <summary>How many records a partition of the output holds, of whatever transaction.</summary>
    internal int Written(int partition)
    {
        using var reader = Reader(IsolationLevel.ReadUncommitted);
        reader.Assign(new TopicPartitionOffset(Target.Topic, partition, Offset.Beginning));
        int count = 0;
        while (true)
        {
            var record = reader.Consume(Patience);
            Assert.NotNull(record);
            if (record.IsPartitionEOF)
            {
                return count;
            }

            count++;
        }
    }

    /// <summary>A transaction of one record, from its beginning to a reader.</summary>
    internal void CommitsTheNext()
    {
        string value = Guid.NewGuid().ToString();
        Produce(value);
        var answer = Commit().Answer;
        Assert.True(answer == TransactionAnswer.Done, $"{answer}: {Output.LastError?.Reason}");
        using var reader = Reader(IsolationLevel.ReadCommitted);
        reader.Assign(new TopicPartitionOffset(Target, readTo));
        for (string? read = null; !string.Equals(read, value, StringComparison.Ordinal);)
        {
            var record = reader.Consume(Patience);
            Assert.True(record is { IsPartitionEOF: false }, "what was committed is not there");
            read = record.Message.Value;
            readTo = record.Offset + 1;
        }
    }

    public void Dispose()
    {
        Output.Dispose();
        member.Dispose();
        Broker.Dispose();
    }

    private IConsumer<Ignore, string> Reader(IsolationLevel isolation) =>
        new ConsumerBuilder<Ignore, string>(new ConsumerConfig { BootstrapServers = Broker.BootstrapServers, GroupId = "reader", IsolationLevel = isolation, EnablePartitionEof = true }).Build();

    private IProducer<byte[], byte[]> Build()
    {
        var watched = WatchedProducer.Of(clients.TransactionalProducer("group.worker.0"));
        Producer = (WatchedProducer)watched;
        return watched;
    }
}
