using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Commands;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Finds out whether a reader that was set back may go on where it stood. Safe from several threads.</summary>
/// <remarks>
/// A client that asks for records beyond the end of a partition is sent to its first retained record. That end may have been told by a broker that has just started and does not know yet how far the
/// partition was readable: then everything is still there. Or the topic was made anew, or its broker has lost what it had acknowledged: then offsets name other records now.
/// </remarks>
/// <param name="admin">Asks the brokers.</param>
/// <param name="identifiers">Identifiers of the topics when the worker started, by name; null where the broker told none.</param>
/// <param name="logger">Says which.</param>
internal sealed class LostPositions(BrokerAdmin admin, IReadOnlyDictionary<string, Task<string?>> identifiers, ILogger logger)
{
    /// <summary>Asks which topics are read, and does not wait for the answer: an embedded broker never gives one.</summary>
    public static LostPositions Of(BrokerAdmin admin, IEnumerable<string> topics, ILogger logger) =>
        new(admin, topics.Distinct(StringComparer.Ordinal).ToDictionary(topic => topic, admin.TopicIdIfToldAsync, StringComparer.Ordinal), logger);

    /// <summary>Whether the records before a position are those that were read: the reader is to be set there again.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="position">Offset after the last record that was received, or where the reader was set to.</param>
    /// <param name="offset">Offset of the record that came instead.</param>
    /// <returns>False when they are not, or nobody can tell.</returns>
    /// <exception cref="CommandFailure">No broker answered within the bound.</exception>
    public bool AreThere(TopicPartition partition, long position, long offset)
    {
        bool areThere = offset < position
            && identifiers.GetValueOrDefault(partition.Topic) is { IsCompletedSuccessfully: true, Result: { } known }
            && string.Equals(admin.TopicId(partition.Topic), known, StringComparison.Ordinal)
            && admin.Reaches(partition, position);
        if (areThere)
        {
            LogMessages.WentBack(logger, partition.Topic, partition.Partition.Value, position, offset);
        }

        return areThere;
    }
}
