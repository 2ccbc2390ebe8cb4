using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Asks the broker where the labels end, so that history is not computed while labels of its time are still on their way.</summary>
/// <remarks>
/// That a reader stands at the end it was told last proves nothing about labels written since. A transaction may go without
/// them once the end was asked for after the transaction had arrived, and found reached. Asked for in the background: the lane
/// goes on with what need not wait.
/// </remarks>
internal sealed class LabelEnds(BrokerAdmin admin, string topic, WorkerMetrics metrics, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan IntervalAfterRefusal = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<int, long> receivedWhenAsked = [];
    private Task<IReadOnlyDictionary<int, long>>? question;
    private long askedAt;
    private bool wasRefused;

    /// <summary>Asks, unless an answer is due or was just given.</summary>
    public void AskFor(List<PartitionInput> partitions, long now, TimeProvider clock)
    {
        if (question is not null || clock.GetElapsedTime(askedAt, now) < (wasRefused ? IntervalAfterRefusal : Interval))
        {
            return;
        }

        receivedWhenAsked.Clear();
        foreach (var partition in partitions)
        {
            if (partition.Labels is { Count: 0, IsAtEnd: true })
            {
                receivedWhenAsked[partition.Partition] = partition.ReceivedOffset;
            }
        }

        if (receivedWhenAsked.Count > 0)
        {
            askedAt = now;
            question = admin.StableEndOffsetsAsync(topic, [.. receivedWhenAsked.Keys]);
        }
    }

    /// <summary>Takes the answer, if it has come.</summary>
    public void Take(PartitionInput?[] inputs)
    {
        if (question is not { IsCompleted: true } answered)
        {
            return;
        }

        question = null;
        wasRefused = !answered.IsCompletedSuccessfully;
        if (wasRefused)
        {
            var refusal = answered.Exception?.InnerException; // The question is asked again.
            metrics.ReadErrors.Inc();
            LogMessages.ReadError(logger, topic, (refusal as KafkaException)?.Error.Code.ToString() ?? "not answered", refusal?.Message ?? "");
            return;
        }

        foreach (var (partition, end) in answered.Result)
        {
            if (inputs[partition]?.Labels is not { } labels)
            {
                continue;
            }

            if (labels.ReceivedOffset >= end)
            {
                labels.ConfirmedToOffset = Math.Max(labels.ConfirmedToOffset, receivedWhenAsked[partition]);
            }
            else
            {
                labels.IsAtEnd = false;
            }
        }
    }
}
