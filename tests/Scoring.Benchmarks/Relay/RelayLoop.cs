using Confluent.Kafka;

namespace Scoring.Benchmarks.Relay;

/// <summary>Consume, produce: the least that a .NET service on Confluent.Kafka does for a record, with the worker's own client settings.</summary>
/// <remarks>
/// Plain: the client commits in the background what was read, delivered or not. Faithful: what the worker promises and writes. Headers and
/// times are read, each record leaves with an answer's headers and bytes, deliveries are reported, and offsets are committed only behind them.
/// Transactional: the faithful one, but records and offsets are committed in Kafka transactions.
/// </remarks>
internal sealed class RelayLoop
{
    private static readonly TimeSpan CommitInterval = TimeSpan.FromMilliseconds(100);

    private readonly string servers;
    private readonly string from;
    private readonly string to;
    private readonly bool isFaithful;
    private readonly TimeSpan? transaction;
    private readonly string transactionalId;
    private readonly byte[] answer;
    private Window open = new();
    private Window closed = new();

    /// <summary>Prepares a relay.</summary>
    /// <param name="servers">Brokers.</param>
    /// <param name="from">Topic to read.</param>
    /// <param name="to">Topic to write.</param>
    /// <param name="answerBytes">Bytes of each record written, faithfully; 0: the record's own, plainly.</param>
    /// <param name="transaction">Length of its transactions; null: none.</param>
    /// <param name="number">Among those that share the work.</param>
    public RelayLoop(string servers, string from, string to, int answerBytes, TimeSpan? transaction, int number)
    {
        this.transaction = transaction;
        transactionalId = FormattableString.Invariant($"relay.{to}.{number}");
        this.servers = servers;
        this.from = from;
        this.to = to;
        isFaithful = answerBytes > 0;
        answer = new byte[answerBytes];
    }

    /// <summary>Copies until told to stop.</summary>
    public void Run(CancellationToken stopping)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(Reading()).Build();
        using var producer = new ProducerBuilder<byte[], byte[]>(Writing()).Build();
        consumer.Subscribe(from);
        if (transaction is not null)
        {
            producer.InitTransactions(TimeSpan.FromSeconds(10));
            producer.BeginTransaction();
        }

        var message = new Message<byte[], byte[]> { Headers = isFaithful ? Headers() : null };
        long committed = TimeProvider.System.GetTimestamp();
        while (!stopping.IsCancellationRequested)
        {
            if (transaction is { } length)
            {
                if (open.Positions.Count > 0 && TimeProvider.System.GetElapsedTime(committed) > length)
                {
                    CommitTransaction(consumer, producer);
                    committed = TimeProvider.System.GetTimestamp();
                }
            }
            else if (isFaithful)
            {
                producer.Poll(TimeSpan.Zero);
                if (closed.Outstanding == 0 && TimeProvider.System.GetElapsedTime(committed) > CommitInterval)
                {
                    Commit(consumer);
                    committed = TimeProvider.System.GetTimestamp();
                }
            }

            if (consumer.Consume(open.Positions.Count + closed.Outstanding > 0 ? 1 : 50) is not { IsPartitionEOF: false } read)
            {
                continue;
            }

            message.Key = read.Message.Key;
            message.Value = isFaithful ? Answer(read.Message.Value) : read.Message.Value;
            while (!TryProduce(producer, new TopicPartition(to, read.Partition), message))
            {
                producer.Poll(TimeSpan.FromMilliseconds(10));
            }

            if (isFaithful)
            {
                open.Outstanding += transaction is null ? 1 : 0;
                open.Positions[read.Partition.Value] = read.Offset + 1;
            }
        }

        if (transaction is null)
        {
            producer.Flush(TimeSpan.FromSeconds(5));
        }

        consumer.Close();
    }

    // What is acknowledged is committed, and what was written since becomes what is waited for.
    private void Commit(IConsumer<byte[], byte[]> consumer)
    {
        if (closed.Positions.Count > 0)
        {
            consumer.Commit(closed.Positions.Select(position => new TopicPartitionOffset(from, position.Key, position.Value)));
            closed.Positions.Clear();
        }

        (open, closed) = (closed, open);
    }

    private void CommitTransaction(IConsumer<byte[], byte[]> consumer, IProducer<byte[], byte[]> producer)
    {
        producer.SendOffsetsToTransaction(open.Positions.Select(position => new TopicPartitionOffset(from, position.Key, position.Value)), consumer.ConsumerGroupMetadata, TimeSpan.FromSeconds(10));
        producer.CommitTransaction();
        producer.BeginTransaction();
        open.Positions.Clear();
    }

    // As many bytes as an answer has, of the record's own, so that they compress as such text does.
    private byte[] Answer(byte[] value)
    {
        for (int at = 0; at < answer.Length; at += value.Length)
        {
            value.AsSpan(0, Math.Min(value.Length, answer.Length - at)).CopyTo(answer.AsSpan(at));
        }

        return answer;
    }

    private bool TryProduce(IProducer<byte[], byte[]> producer, TopicPartition target, Message<byte[], byte[]> message)
    {
        try
        {
            if (isFaithful && transaction is null)
            {
                producer.Produce(target, message, open.Delivered);
            }
            else
            {
                producer.Produce(target, message);
            }

            return true;
        }
        catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
    }

    // Names and lengths of a score's headers.
    private static Headers Headers()
    {
        var headers = new Headers();
        foreach (var (name, length) in new[] { ("content-type", 16), ("ce_specversion", 3), ("ce_type", 25), ("ce_source", 23), ("ce_id", 36), ("ce_time", 24) })
        {
            headers.Add(name, new byte[length]);
        }

        return headers;
    }

    private ConsumerConfig Reading()
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = servers,
            GroupId = "relay." + to,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = !isFaithful,
            AutoCommitIntervalMs = (int)CommitInterval.TotalMilliseconds,
            IsolationLevel = IsolationLevel.ReadCommitted,
            EnablePartitionEof = true,
            FetchWaitMaxMs = 50,
            ConsumeResultFields = "headers,timestamp",
        };
        config.Set("fetch.queue.backoff.ms", "5");
        return config;
    }

    private ProducerConfig Writing() => new()
    {
        BootstrapServers = servers,
        Acks = Acks.All,
        EnableIdempotence = true,
        LingerMs = 2,
        CompressionType = CompressionType.Lz4,
        QueueBufferingMaxMessages = 1_000_000,
        QueueBufferingMaxKbytes = 262_144,
        EnableDeliveryReports = isFaithful && transaction is null,
        EnableBackgroundPoll = !isFaithful || transaction is not null,
        TransactionalId = transaction is null ? null : transactionalId,
        DeliveryReportFields = "none",
    };

    /// <summary>What was written between two commits.</summary>
    private sealed class Window
    {
        public Window() => Delivered = report =>
        {
            Outstanding--;
            if (report.Error.IsError)
            {
                throw new InvalidOperationException(report.Error.Reason);
            }
        };

        public Action<DeliveryReport<byte[], byte[]>> Delivered { get; }

        public Dictionary<int, long> Positions { get; } = [];

        public int Outstanding { get; set; }
    }
}
