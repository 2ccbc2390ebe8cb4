using Confluent.Kafka;
using CsCheck;
using Scoring.Worker.Demo;
using Scoring.Worker.Kafka;
using Scoring.Worker.Tests.Lanes;

namespace Scoring.Worker.Tests.Kafka;

/// <summary>Records that go past Confluent.Kafka are those that go through it.</summary>
[Collection("Kafka clients")]
public sealed class DirectProduceTests : IDisposable
{
    private static readonly TopicPartition Direct = new("direct", 1);
    private static readonly TopicPartition Usual = new("usual", 1);

    private static readonly Gen<byte[]?> Bytes = Gen.Select(Gen.Bool, Gen.Byte.Array[0, 300], (isNull, bytes) => isNull ? null : bytes);

    private static readonly Gen<Message<byte[], byte[]>> Records = Gen.Select(
        Bytes,
        Bytes,
        Gen.Select(Gen.OneOf(Gen.Const("ce_id"), Gen.Const("name of ä"), Gen.String[0, 20].Select(name => name.Replace("\0", "", StringComparison.Ordinal))), Gen.OneOf(Gen.Byte.Array[0, 60], Gen.Byte.Array[0, 3_000])).Array[0, 20],
        Gen.OneOf(Gen.Const(default(Timestamp)), Gen.Long[1, 4_000_000_000_000].Select(ms => new Timestamp(ms, TimestampType.CreateTime))),
        (key, value, headers, timestamp) =>
        {
            var record = new Message<byte[], byte[]> { Key = key!, Value = value!, Timestamp = timestamp, Headers = [] };
            foreach (var (name, bytes) in headers)
            {
                record.Headers.Add(name, bytes);
            }

            return record;
        });

    private readonly EmbeddedBroker broker = EmbeddedBroker.Start();

    public DirectProduceTests()
    {
        broker.CreateTopic(Direct.Topic, 2);
        broker.CreateTopic(Usual.Topic, 2);
    }

    [Fact]
    public void What_is_read_is_the_same()
    {
        using var producer = Producer();
        var direct = DirectProduce.Of(producer)!;
        int count = 0;
        Records.Array[20].Sample(
            records =>
            {
                foreach (var record in records)
                {
                    count++;
                    producer.Produce(Usual, record);
                    direct.Produce(new OutgoingRecord { Target = Direct, Key = record.Key, Value = record.Value, Headers = record.Headers, Timestamp = record.Timestamp, HasKey = record.Key is not null, HasValue = record.Value is not null });
                }
            },
            iter: 20,
            threads: 1);
        Assert.Equal(0, producer.Flush(TransactionScene.Patience));
        var usual = Read(Usual, count);
        var ours = Read(Direct, count);
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(usual[i].Message.Key, ours[i].Message.Key);
            Assert.Equal(usual[i].Message.Value, ours[i].Message.Value);
            Assert.Equal(Said(usual[i].Message.Headers), Said(ours[i].Message.Headers));
            Assert.Equal(TimestampType.CreateTime, ours[i].Message.Timestamp.Type);
        }
    }

    [Fact]
    public void A_record_s_time_is_kept()
    {
        using var producer = Producer();
        DirectProduce.Of(producer)!.Produce(new OutgoingRecord { Target = Direct, Value = "x"u8, HasValue = true, Timestamp = new Timestamp(1_700_000_000_123, TimestampType.CreateTime) });
        Assert.Equal(0, producer.Flush(TransactionScene.Patience));
        Assert.Equal(1_700_000_000_123, Assert.Single(Read(Direct, 1)).Message.Timestamp.UnixTimestampMs);
    }

    [Fact]
    public void What_is_refused_is_told_alike()
    {
        using var producer = Producer(("queue.buffering.max.messages", "1"), ("linger.ms", "30000"));
        var direct = DirectProduce.Of(producer)!;
        byte[] large = new byte[3_000_000];
        IsToldAlike(ErrorCode.MsgSizeTooLarge, () => producer.Produce(Usual, new Message<byte[], byte[]> { Value = large }), () => direct.Produce(Holding(large)));
        producer.Produce(Usual, new Message<byte[], byte[]> { Value = [1] });
        IsToldAlike(ErrorCode.Local_QueueFull, () => producer.Produce(Usual, new Message<byte[], byte[]> { Value = [1] }), () => direct.Produce(Holding([1])));
    }

    [Fact]
    public void Reports_come_back_with_the_record_s_tag_and_what_became_of_it()
    {
        using var producer = Producer(("enable.idempotence", "true"), ("linger.ms", "5"), ("dotnet.producer.enable.delivery.reports", "true"), ("dotnet.producer.enable.background.poll", "false"));
        using var direct = DirectProduce.Of(producer)!;
        var told = new Dictionary<int, int>();
        var errors = new List<Error>();
        for (int i = 0; i < 1_000; i++)
        {
            direct.Produce(Holding([1]), tag: 1 + (i % 3 == 0 ? 1 : 0));
        }

        Take(1_000, ErrorCode.NoError);
        Assert.Equal((666, 334), (told[1], told[2]));
        Assert.Empty(errors);

        broker.Refuse(MockCluster.ProduceRequest, (int)ErrorCode.TopicAuthorizationFailed, times: 1);
        direct.Produce(Holding([1]), tag: 7);
        Take(1, ErrorCode.TopicAuthorizationFailed);
        Assert.Equal(1, told[7]);

        void Take(int due, ErrorCode expected)
        {
            int count = 0;
            for (long since = TimeProvider.System.GetTimestamp(); count < due && TimeProvider.System.GetElapsedTime(since) < TransactionScene.Patience;)
            {
                direct.TakeReports(
                    TimeSpan.FromMilliseconds(20),
                    (tag, code) =>
                    {
                        Assert.Equal(expected, code);
                        told[tag] = told.GetValueOrDefault(tag) + 1;
                        count++;
                    },
                    errors.Add);
            }

            Assert.Equal(due, count);
        }
    }

    public void Dispose() => broker.Dispose();

    private static OutgoingRecord Holding(byte[] value, Headers? headers = null) => new() { Target = Direct, Value = value, HasValue = true, Headers = headers };

    private static void IsToldAlike(ErrorCode expected, Action usual, Action direct)
    {
        var told = Assert.Throws<ProduceException<byte[], byte[]>>(usual).Error;
        var ours = Assert.Throws<ProduceException<byte[], byte[]>>(direct).Error;
        Assert.Equal(expected, ours.Code);
        Assert.Equal((told.Code, told.IsFatal), (ours.Code, ours.IsFatal));
        Assert.NotEmpty(ours.Reason);
    }

    private static IEnumerable<string> Said(Headers headers) => headers.Select(header => $"{header.Key}={Convert.ToHexString(header.GetValueBytes())}");

    private IProducer<byte[], byte[]> Producer(params (string Name, string Value)[] settings)
    {
        var config = new ProducerConfig { BootstrapServers = broker.BootstrapServers, EnableDeliveryReports = false };
        foreach (var (name, value) in settings)
        {
            config.Set(name, value);
        }

        return new ProducerBuilder<byte[], byte[]>(config).Build();
    }

    private List<ConsumeResult<byte[], byte[]>> Read(TopicPartition source, int count)
    {
        using var reader = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = broker.BootstrapServers, GroupId = "reader" }).Build();
        reader.Assign(new TopicPartitionOffset(source, Offset.Beginning));
        List<ConsumeResult<byte[], byte[]>> read = [];
        while (read.Count < count)
        {
            read.Add(reader.Consume(TransactionScene.Patience) ?? throw new InvalidOperationException($"{read.Count} of {count} records came"));
        }

        return read;
    }
}
