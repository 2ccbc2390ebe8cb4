using System.Text;
using Confluent.Kafka;
using Scoring.Models.Packaging;

namespace Scoring.Trainer.Publishing;

/// <summary>Offers packages to the workers of a channel, one record each, and never the same one twice in a row.</summary>
/// <remarks>
/// It looks at the channel before it writes. Two publishers at the same moment both see the old end: both records stand then, and
/// workers take the one with the higher sequence, or of two equal ones the first.
/// </remarks>
/// <param name="access">How the brokers are reached.</param>
/// <param name="channel">Where to publish.</param>
/// <param name="keys">Keys that workers accept: what they did not sign counts for nothing here either.</param>
/// <param name="clock">Bounds the waits.</param>
internal sealed class ModelPublisher(BrokerAccess access, ModelChannel channel, IReadOnlyList<PackageKey> keys, TimeProvider clock)
{
    /// <summary>What the channel holds, oldest first.</summary>
    /// <exception cref="TrainerException">No broker answers, or the topic is not there.</exception>
    public IReadOnlyList<OfferedModel> Offers() => ChannelReader.Read(access, channel, clock);

    /// <summary>Offers a package.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="package">What is in them, verified.</param>
    /// <exception cref="TrainerException">No broker answers, or the topic does not take the record.</exception>
    public Publication Publish(byte[] file, ModelPackage package)
    {
        if (file.Length > ModelsTopic.ValueBytesMax)
        {
            return new(PublicationOutcome.Refused, $"the package has {file.Length} bytes; the models topic takes at most {ModelsTopic.ValueBytesMax}: fewer trees or a smaller network, or give it to each worker by --package");
        }

        var offers = Offers();
        var newest = offers.Count > 0 ? offers[^1] : null;
        if (newest is { Package: not null } && newest.Look(keys).Package is { } offered && string.Equals(offered.Sha256, package.Sha256, StringComparison.Ordinal))
        {
            return new(PublicationOutcome.Already, $"{Name(package)} is offered already, at partition {newest.Partition}, offset {newest.Offset}: nothing was published");
        }

        long sequence = package.Manifest.Sequence;
        if (Highest(offers) is { } highest && !string.Equals(package.Sha256, highest.Sha256, StringComparison.Ordinal) && sequence <= highest.Manifest.Sequence)
        {
            return new(
                PublicationOutcome.Refused,
                $"sequence {sequence} is not above {highest.Manifest.Sequence}, which {channel.Key} has had ({highest.Manifest.Version}): workers would refuse it; pack it with --sequence {highest.Manifest.Sequence + 1}, or go back with: models rollback");
        }

        var written = Write(file, ModelRecordHeaders.Of(package));
        return new(PublicationOutcome.Published, $"{Name(package)} is offered to {channel.Key}: partition {written.Partition.Value}, offset {written.Offset.Value}");
    }

    /// <summary>The package with the highest sequence that the accepted keys have signed; null when there is none.</summary>
    public ModelPackage? Highest(IReadOnlyList<OfferedModel> offers) =>
        offers.Where(offer => offer.Package is not null).Select(offer => offer.Look(keys).Package).MaxBy(package => package?.Manifest.Sequence ?? long.MinValue);

    /// <summary>Stops offering: a tombstone. What scores goes on.</summary>
    public Publication Withdraw()
    {
        var offers = Offers();
        if (offers.Count == 0 || offers[^1].Package is null)
        {
            return new(PublicationOutcome.Already, $"{channel.Key} offers nothing: nothing was written");
        }

        var written = Write(null, null);
        return new(PublicationOutcome.Published, $"{channel.Key} offers nothing any more: partition {written.Partition.Value}, offset {written.Offset.Value}; workers go on with what they have");
    }

    private static string Name(ModelPackage package) => $"{package.Manifest.Name} {package.Manifest.Version}, sequence {package.Manifest.Sequence} ({package.Sha256[..12]})";

    private DeliveryResult<byte[], byte[]?> Write(byte[]? value, ModelRecordHeaders? headers)
    {
        var config = access.Configure(new ProducerConfig
        {
            Acks = Acks.All,
            EnableIdempotence = true,
            Partitioner = Partitioner.Murmur2Random, // As Java's clients choose it: one key, one partition, whoever publishes.
            MessageMaxBytes = ModelsTopic.RecordBytesMax,
            MessageTimeoutMs = (int)BrokerAccess.Patience.TotalMilliseconds,
        });
        using var producer = new ProducerBuilder<byte[], byte[]?>(config).SetValueSerializer(new NullableBytes()).SetLogHandler((_, _) => { }).Build();
        var message = new Message<byte[], byte[]?> { Key = Encoding.UTF8.GetBytes(channel.Key), Value = value, Headers = [] };
        foreach (var (name, text) in headers?.Write() ?? [])
        {
            message.Headers.Add(name, text);
        }

        try
        {
            return producer.ProduceAsync(channel.Topic, message).GetAwaiter().GetResult();
        }
        catch (ProduceException<byte[], byte[]?> refused) when (refused.Error.Code is ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge)
        {
            throw new TrainerException(
                ExitCode.Configuration, $"topic {channel.Topic} does not take a record of {value?.Length ?? 0} bytes: set its max.message.bytes to {ModelsTopic.RecordBytesMax}, as topics create does", refused);
        }
        catch (ProduceException<byte[], byte[]?> refused)
        {
            throw access.NoAnswer(refused.Error);
        }
    }

    private sealed class NullableBytes : ISerializer<byte[]?>
    {
        public byte[]? Serialize(byte[]? data, SerializationContext context) => data;
    }
}
