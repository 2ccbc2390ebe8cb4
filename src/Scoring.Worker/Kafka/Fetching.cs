using Confluent.Kafka;

namespace Scoring.Worker.Kafka;

/// <summary>Makes a consumer fetch at once what it was just told to fetch.</summary>
/// <remarks>
/// A librdkafka 2.16 consumer that has nothing to fetch sleeps for up to a second, and neither a seek nor a partition that is let flow again wakes it; nor does a
/// partition of a topic it has not heard of, whose leader it looks for once a second. A question to the partition's leader does both. Without it a partition that moved
/// to another worker was silent for two seconds longer.
/// </remarks>
internal static class Fetching
{
    private static readonly TimeSpan Bound = TimeSpan.FromMilliseconds(200);

    /// <summary>Assigns a partition by hand, beside those assigned already, and fetches it at once.</summary>
    /// <param name="consumer">The consumer.</param>
    /// <param name="position">Where to begin.</param>
    public static void Assign<TKey, TValue>(IConsumer<TKey, TValue> consumer, TopicPartitionOffset position)
    {
        if (consumer.Assignment.Count == 0)
        {
            Wake(consumer, position.TopicPartition); // Now it has heard of the topic.
        }

        consumer.IncrementalAssign([position]);
        Wake(consumer, position.TopicPartition);
    }

    /// <summary>Has a consumer look at once whether there is something to fetch.</summary>
    /// <param name="consumer">The consumer.</param>
    /// <param name="partition">A partition whose leader is asked; an answer that does not come is not missed.</param>
    public static void Wake<TKey, TValue>(IConsumer<TKey, TValue> consumer, TopicPartition partition)
    {
        try
        {
            consumer.QueryWatermarkOffsets(partition, Bound);
        }
        catch (KafkaException)
        {
            // It looks by itself, up to a second later.
        }
    }
}
