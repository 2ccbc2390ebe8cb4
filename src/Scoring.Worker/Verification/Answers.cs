using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Verification;

/// <summary>Everything that stands on the output topics, by the input record that it answers.</summary>
/// <param name="reading">Reads the records.</param>
/// <param name="topics">The service's topics.</param>
/// <param name="partitionCount">Its partitions.</param>
/// <param name="readsLabels">Whether its labels are an input.</param>
/// <param name="findings">Told what is out of order, and what is no answer.</param>
internal sealed class Answers(OutputReading reading, ServiceTopics topics, int partitionCount, bool readsLabels, Findings findings)
{
    private readonly Dictionary<long, Answer>[] partitions = [.. Enumerable.Range(0, partitionCount).Select(_ => new Dictionary<long, Answer>())];
    private readonly Dictionary<long, Answer>[] labels = [.. Enumerable.Range(0, partitionCount).Select(_ => new Dictionary<long, Answer>())];
    private readonly long[] lastScored = [.. Enumerable.Repeat(-1L, partitionCount)];
    private readonly long[] firstScored = [.. Enumerable.Repeat(long.MaxValue, partitionCount)];
    private readonly long[] firstAlerted = [.. Enumerable.Repeat(long.MaxValue, partitionCount)];
    private readonly long[] firstRefused = [.. Enumerable.Repeat(long.MaxValue, partitionCount)];
    private readonly long[] firstRefusedLabel = [.. Enumerable.Repeat(long.MaxValue, partitionCount)];

    /// <summary>Dead letters of a partition's labels, by the label's offset.</summary>
    public IReadOnlyDictionary<long, Answer> OfLabels(int partition) => labels[partition];

    /// <summary>Dead letters of topics that are none of the service's inputs.</summary>
    public long OtherDeadLetters { get; private set; }

    /// <summary>Whether a score carries its feature vector.</summary>
    public bool HaveFeatures { get; private set; }

    /// <summary>Answers of a partition by input offset.</summary>
    public IReadOnlyDictionary<long, Answer> Of(int partition) => partitions[partition];

    /// <summary>The answer to a record; null when there is none.</summary>
    public Answer? Find(int partition, long offset) => partitions[partition].GetValueOrDefault(offset);

    /// <summary>Lowest input offset of a partition that has a score; <see cref="long.MaxValue"/> when none has.</summary>
    public long FirstScored(int partition) => firstScored[partition];

    /// <summary>Lowest input offset of a partition that has an alert; <see cref="long.MaxValue"/> when none has.</summary>
    public long FirstAlerted(int partition) => firstAlerted[partition];

    /// <summary>Lowest input offset of a partition that has a dead letter; <see cref="long.MaxValue"/> when none has.</summary>
    public long FirstRefused(int partition) => firstRefused[partition];

    /// <summary>Lowest offset of a partition's labels that has a dead letter; <see cref="long.MaxValue"/> when none has.</summary>
    public long FirstRefusedLabel(int partition) => firstRefusedLabel[partition];

    /// <summary>Latest time among the events before an offset that were scored, ms since 1970 UTC: what they left in the state, be they retained or not. Null when no score tells.</summary>
    public long? LatestEventMs(int partition, long before) => partitions[partition].Where(answer => answer.Key < before).Max(answer => answer.Value.Score?.EventTimeMs);

    /// <summary>Takes a record of the scores topic.</summary>
    public void TakeScore(ConsumeResult<Ignore, byte[]> record)
    {
        int partition = record.Partition.Value;
        if (reading.Score(record.Message.Value, out var source, out string? transactionId) is not { } score || !IsInRange(source))
        {
            findings.Add(Invariant.Different, new Finding(partition, record.Offset.Value, transactionId, "a score", "a record of the scores topic that is none"));
            return;
        }

        HaveFeatures |= score.Features is not null;
        var answer = Make(partitions, source, transactionId);
        answer.ScoreCount++;
        if (source.Partition != partition)
        {
            findings.Add(Invariant.OutOfOrder, new Finding(source.Partition, source.Offset, transactionId, FormattableString.Invariant($"in partition {source.Partition} of the scores"), FormattableString.Invariant($"in partition {partition}")));
        }
        else
        {
            if (answer.Score is null && source.Offset < lastScored[partition])
            {
                findings.Add(Invariant.OutOfOrder, new Finding(partition, source.Offset, transactionId, FormattableString.Invariant($"before the score of offset {lastScored[partition]}"), "behind it"));
            }

            lastScored[partition] = Math.Max(lastScored[partition], source.Offset);
        }

        firstScored[source.Partition] = Math.Min(firstScored[source.Partition], source.Offset);
        answer.ScoresDiffer |= answer.Score is { } earlier && earlier.Digest != score.Digest;
        answer.Score ??= score;
    }

    /// <summary>Takes a record of the alerts topic.</summary>
    public void TakeAlert(ConsumeResult<Ignore, byte[]> record)
    {
        if (!OutputReading.Alert(record.Message.Value, out var source, out string? transactionId) || !IsInRange(source))
        {
            findings.Add(Invariant.Different, new Finding(record.Partition.Value, record.Offset.Value, transactionId, "an alert", "a record of the alerts topic that is none"));
            return;
        }

        Make(partitions, source, transactionId).AlertCount++;
        firstAlerted[source.Partition] = Math.Min(firstAlerted[source.Partition], source.Offset);
    }

    /// <summary>Takes a record of the dead-letter topic.</summary>
    public void TakeDeadLetter(ConsumeResult<Ignore, byte[]> record)
    {
        if (!reading.DeadLetter(record.Message.Headers, out string? topic, out var source, out string? code))
        {
            findings.Add(Invariant.Different, new Finding(record.Partition.Value, record.Offset.Value, null, "a dead letter", "a record of the dead-letter topic that is none"));
            return;
        }

        bool isLabel = readsLabels && string.Equals(topic, topics.Labels, StringComparison.Ordinal);
        if ((!isLabel && !string.Equals(topic, topics.Transactions, StringComparison.Ordinal)) || !IsInRange(source))
        {
            OtherDeadLetters++;
            return;
        }

        var answer = Make(isLabel ? labels : partitions, source, transactionId: null);
        answer.DeadLetterCount++;
        answer.DeadLetterCode = code;
        long[] first = isLabel ? firstRefusedLabel : firstRefused;
        first[source.Partition] = Math.Min(first[source.Partition], source.Offset);
    }

    private bool IsInRange(ScoreSource source) => (uint)source.Partition < (uint)partitions.Length;

    private static Answer Make(Dictionary<long, Answer>[] inputs, ScoreSource source, string? transactionId)
    {
        if (!inputs[source.Partition].TryGetValue(source.Offset, out var answer))
        {
            answer = new Answer();
            inputs[source.Partition].Add(source.Offset, answer);
        }

        answer.TransactionId ??= transactionId;
        return answer;
    }
}
