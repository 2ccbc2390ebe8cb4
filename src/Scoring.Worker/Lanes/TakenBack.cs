using Confluent.Kafka;
using Scoring.Worker.Commands;

namespace Scoring.Worker.Lanes;

/// <summary>A transaction that was taken back, until the broker has closed it in every partition that it wrote to and at the group: what is not would become visible with the next commit, as part of it (docs/decisions/0025).</summary>
/// <param name="output">Holds what comes next meanwhile.</param>
/// <param name="input">Tells when the group has no offset undecided.</param>
/// <param name="context">The lane's.</param>
internal sealed class TakenBack(TransactionalOutput output, TransactionInput input, LaneContext context)
{
    private static readonly TimeSpan ClosedBound = TimeSpan.FromSeconds(60);

    private readonly HashSet<TopicPartition> handedOver = [];
    private IReadOnlyList<TopicPartitionOffset>? ends;
    private Task<TopicPartition?>? firstOpen;
    private long since;

    /// <summary>Offsets may join the transaction: it is open at the group, too, where it is taken back.</summary>
    public void MayHold(IEnumerable<TopicPartitionOffset> offsets)
    {
        foreach (var offset in offsets)
        {
            handedOver.Add(offset.TopicPartition);
        }
    }

    /// <summary>Something was taken back: no transaction begins before the broker has closed it.</summary>
    public void Begin()
    {
        output.Hold();
        since = 0;
        ends = null;
    }

    /// <summary>Nothing of it is open any more, or it was committed.</summary>
    public void End()
    {
        handedOver.Clear();
        output.Release();
    }

    /// <summary>Ends it if all is closed; asks for the records beside the lane, and at the group when they are.</summary>
    /// <exception cref="LaneFailure">It has been open for too long.</exception>
    public void Look()
    {
        since = since == 0 ? context.Clock.GetTimestamp() : since;
        firstOpen ??= FirstOpenAsync();
        string open = "the broker does not tell";
        if (firstOpen.IsCompleted)
        {
            var told = firstOpen;
            firstOpen = null; // What is still open is asked for again.
            try
            {
                if (told.GetAwaiter().GetResult() is not { } partition)
                {
                    if (handedOver.Count > 0)
                    {
                        input.Committed(handedOver); // It tells when no offset is undecided. Those of partitions that were lost meanwhile are among them.
                    }

                    End();
                    return;
                }

                open = FormattableString.Invariant($"{partition.Topic} [{partition.Partition.Value}] holds records of it");
            }
            catch (KafkaException unanswered)
            {
                open = $"the broker does not tell: {unanswered.Error.Reason}";
            }
        }

        if (context.Clock.GetElapsedTime(since) >= ClosedBound)
        {
            throw new LaneFailure(
                ExitCode.Unavailable,
                FormattableString.Invariant($"a transaction was taken back, and the broker has not closed it for {ClosedBound.TotalSeconds} s ({open}): it would be visible with the next commit; kafka-transactions.sh find-hanging --max-transaction-timeout 1, abort"));
        }
    }

    private async Task<TopicPartition?> FirstOpenAsync()
    {
        ends ??= await context.Admin.EndsAsync(context.Outputs, [.. output.Written]); // Once: what others write later, where a partition has moved meanwhile, is their own.
        return await context.Admin.FirstOpenAsync(ends);
    }
}
