using Confluent.Kafka;
using Scoring.Trainer.Publishing;

namespace Scoring.Trainer.Watching;

/// <summary>Of several trainers of one channel one decides, the others wait: whoever holds the first partition of the models topic in a consumer group of their own.</summary>
/// <remarks>
/// The broker gives a partition to one member at a time, and to the next when a member stops answering (10 s) or leaves. What that does not
/// give: a trainer that was frozen for longer may for a moment believe that it still decides, while another does. Then both may publish; that
/// does no harm, because the second package has a sequence that the channel has had already: the publisher sees it, and if both wrote in the
/// same moment workers take the first of two with one sequence.
/// </remarks>
internal sealed class ChannelLease : IDisposable
{
    private const int LeasePartition = 0;

    private readonly CancellationTokenSource ending = new();
    private readonly IConsumer<Ignore, Ignore> consumer;
    private readonly Thread thread;
    private volatile bool isHeld;

    /// <summary>Joins the group.</summary>
    /// <param name="access">How the brokers are reached.</param>
    /// <param name="channel">The channel.</param>
    /// <param name="log">Takes a line when the lease comes or goes.</param>
    public ChannelLease(BrokerAccess access, ModelChannel channel, Action<string> log)
    {
        consumer = new ConsumerBuilder<Ignore, Ignore>(access.Configure(new ConsumerConfig
        {
            GroupId = $"fraud.{channel.Key.Replace('/', '.')}.trainer",
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Latest,
            SessionTimeoutMs = 10_000,
            HeartbeatIntervalMs = 3_000,
        }))
            .SetPartitionsAssignedHandler((_, places) => Set(places.Exists(place => place.Partition.Value == LeasePartition), log))
            .SetPartitionsRevokedHandler((_, _) => Set(held: false, log))
            .SetPartitionsLostHandler((_, _) => Set(held: false, log))
            .SetErrorHandler((_, _) => { })
            .SetLogHandler((_, _) => { })
            .Build();
        consumer.Subscribe(channel.Topic);
        thread = new Thread(Stay) { IsBackground = true, Name = "channel lease" };
        thread.Start();
    }

    /// <summary>Whether this trainer decides.</summary>
    public bool IsHeld => isHeld;

    /// <inheritdoc/>
    public void Dispose()
    {
        ending.Cancel();
        thread.Join();
        consumer.Close(); // Leaves the group: the next one need not wait for the session's end.
        consumer.Dispose();
        ending.Dispose();
    }

    // The records themselves mean nothing here; polling is what keeps the membership.
    private void Stay()
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                consumer.Consume(ending.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (ConsumeException error) when (!error.Error.IsFatal)
            {
                // The client goes on by itself; while it has no partition the lease is not held.
            }
            catch (ConsumeException)
            {
                isHeld = false;
                return;
            }
        }
    }

    // Handlers record and never throw: an exception from one would end the membership silently.
    private void Set(bool held, Action<string> log)
    {
        if (isHeld != held)
        {
            isHeld = held;
            log(held ? "this trainer decides for the channel" : "another trainer may decide for the channel: this one waits");
        }
    }
}
