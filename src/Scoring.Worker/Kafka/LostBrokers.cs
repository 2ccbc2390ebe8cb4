using System.Diagnostics;
using System.Numerics;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Kafka;

/// <summary>Tells a consumer that reads, and is connected to no broker, where they are once more.</summary>
/// <remarks>
/// librdkafka 2.16 lets go of every broker that the cluster's metadata do not name. Of an only broker that was away, or when all of a cluster were, they name none for a moment. If something
/// in the client still refers to the last one by then, it neither goes nor is replaced, and the consumer looks for a connection for ever, without an error: row 6 of the fault matrix,
/// where payments waited for labels that nobody read.
/// </remarks>
/// <param name="servers">Where they are.</param>
/// <param name="logger">Says so.</param>
internal sealed class LostBrokers(string servers, ILogger logger)
{
    /// <summary>How often the client tells of its connections, ms.</summary>
    public const int IntervalMs = 5_000;

    /// <summary>What is said of a broker, in the client's statistics, when its connection stands. Those within the client have other states.</summary>
    private const string Connected = "\"state\":\"UP\"";

    /// <summary>Each time costs a connection that is superfluous where brokers are only away: twice as long after every one, up to this many looks.</summary>
    private const int LooksBetweenMax = 64;

    private long lookedAt;
    private int looks;

    /// <summary>Looks at what the client tells of its connections; after ten seconds without any, and then ever more rarely, it is told where brokers are.</summary>
    /// <param name="consumer">The client.</param>
    /// <param name="statistics">Its statistics, JSON.</param>
    public void Look<TKey, TValue>(IConsumer<TKey, TValue> consumer, string statistics)
    {
        long now = Stopwatch.GetTimestamp();
        if (looks > 0 && Stopwatch.GetElapsedTime(lookedAt, now).TotalMilliseconds < IntervalMs / 2)
        {
            return; // A reader that was not asked for records for a while is told all at once what was so meanwhile.
        }

        lookedAt = now;
        if (statistics.Contains(Connected, StringComparison.Ordinal) || (consumer.Assignment.Count == 0 && consumer.Subscription.Count == 0))
        {
            looks = 0; // Connected, or it needs no connection.
            return;
        }

        looks++;
        if (looks > 1 && (BitOperations.IsPow2(looks) || looks % LooksBetweenMax == 0))
        {
            LogMessages.NoConnection(logger, consumer.Name, looks * (IntervalMs / 1_000));
            consumer.AddBrokers(servers);
        }
    }
}
