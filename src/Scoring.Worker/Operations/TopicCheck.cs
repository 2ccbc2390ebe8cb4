using Microsoft.Extensions.Logging;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Operations;

/// <summary>What the brokers have for a service.</summary>
/// <param name="PartitionCount">Partitions of the input and of every other topic.</param>
/// <param name="HasLabels">Whether labels are read.</param>
/// <param name="ModelsPartitionCount">Partitions of the models topic, any number; 0 where there is none.</param>
internal sealed record TopicCheck(int PartitionCount, bool HasLabels, int ModelsPartitionCount)
{
    /// <summary>Checks that every topic is there, with as many partitions as the input: outputs stand in the partition of their input.</summary>
    /// <exception cref="CommandFailure">One is missing or of another count.</exception>
    public static TopicCheck Check(IReadOnlyDictionary<string, int> counts, Service service, WorkerSettings settings, ILogger logger)
    {
        var topics = service.Topics;
        int partitions = Count(topics.Transactions);
        Same(topics.Scores);
        Same(topics.Alerts);
        Same(topics.DeadLetters);
        if (service.Plan.HasShared)
        {
            Same(topics.Aggregates);
        }

        if (settings.Kafka.IsExactlyOnce && service.Definition.Entities.Count > 0)
        {
            Same(topics.State);
        }

        bool hasLabels = service.Plan.HasLabels && counts.ContainsKey(topics.Labels);
        if (hasLabels)
        {
            Same(topics.Labels);
        }
        else if (service.Plan.HasLabels)
        {
            LogMessages.LabelsMissing(logger, topics.Labels);
        }

        return new TopicCheck(partitions, hasLabels, counts.GetValueOrDefault(topics.Models));

        void Same(string topic)
        {
            int count = Count(topic);
            if (count != partitions)
            {
                throw new CommandFailure(ExitCode.Configuration, FormattableString.Invariant($"topic {topic} has {count} partitions and {topics.Transactions} has {partitions}; they must have the same number"));
            }
        }

        int Count(string topic) => counts.TryGetValue(topic, out int count)
            ? count
            : throw new CommandFailure(ExitCode.Configuration, $"topic {topic} is not there; make it with: topics create --definition {settings.Serving.Definition} --bootstrap-servers {settings.Kafka.BootstrapServers}");
    }
}
