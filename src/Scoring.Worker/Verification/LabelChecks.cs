using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Worker.Kafka;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Verification;

/// <summary>Goes through the labels: one that breaks a rule has one dead letter, a good one has none. What good ones do is in the features.</summary>
/// <remarks>Whether a label was reported in the future the clock of the worker decided: that is believed of any that says when it was reported.</remarks>
internal sealed class LabelChecks
{
    private readonly Answers answers;
    private readonly Findings findings;
    private readonly VerificationOptions options;
    private readonly LabelDecoder decoder;
    private readonly EventHeaders headers = new();
    private readonly LabelBatch batch;

    /// <summary>Starts before the first label.</summary>
    /// <param name="service">Whose labels they are.</param>
    /// <param name="answers">What stands on the dead-letter topic.</param>
    /// <param name="options">Whether an answer may be repeated.</param>
    /// <param name="findings">Receives the violations.</param>
    public LabelChecks(Service service, Answers answers, VerificationOptions options, Findings findings)
    {
        this.answers = answers;
        this.options = options;
        this.findings = findings;
        decoder = new LabelDecoder(service.Definition, service.Schema);
        batch = new LabelBatch(service.Schema, rowsMax: 1);
    }

    /// <summary>Labels below the committed offset that are answered by a dead letter.</summary>
    public long Refused { get; private set; }

    /// <summary>Of these, labels that were reported in the future, as the worker's clock said: believed.</summary>
    public long Future { get; private set; }

    /// <summary>Labels whose dead letters are no longer retained.</summary>
    public long Unanswerable { get; private set; }

    /// <summary>Dead letters beyond the first of a label, where that is allowed.</summary>
    public long Repeated { get; private set; }

    /// <summary>Dead letters at or behind the committed offset, where that is allowed.</summary>
    public long Ahead { get; private set; }

    /// <summary>Takes the next label of a partition.</summary>
    /// <param name="record">The label.</param>
    /// <param name="committed">What the group had committed of the partition before the dead letters were read.</param>
    /// <param name="letters">The dead-letter topic: where its retention begins.</param>
    /// <returns>Whether the worker has refused it.</returns>
    public bool Take(ConsumeResult<Ignore, byte[]> record, long committed, TopicSnapshot letters)
    {
        int partition = record.Partition.Value;
        long offset = record.Offset.Value;
        RecordHeaders.Read(record.Message.Headers, headers);
        var atLast = Decode(record.Message.Value, long.MaxValue);
        if (answers.OfLabels(partition).TryGetValue(offset, out var answer))
        {
            answer.HasInput = true;
            Refused += offset < committed ? 1 : 0;
            string found = $"a dead letter ({answer.DeadLetterCode})";
            bool isFuture = IsCode(answer, RefusalCode.FutureTime) && Decode(record.Message.Value, nowMs: 0) == RefusalCode.FutureTime;
            Future += isFuture ? 1 : 0;
            if (atLast == RefusalCode.None && !isFuture)
            {
                findings.Add(Invariant.Different, new Finding(partition, offset, null, "no answer to a good label", found));
            }
            else if (!isFuture && !IsCode(answer, atLast))
            {
                findings.Add(Invariant.Different, new Finding(partition, offset, null, $"a dead letter of the label ({RefusalTexts.Wire(atLast)})", found));
            }

            return true;
        }

        if (atLast != RefusalCode.None && offset < committed)
        {
            bool isGone = letters.Starts[partition] > 0 && offset < answers.FirstRefusedLabel(partition);
            Unanswerable += isGone ? 1 : 0;
            if (!isGone)
            {
                findings.Add(Invariant.Lost, new Finding(partition, offset, null, $"a dead letter of the label ({RefusalTexts.Wire(atLast)})", "none"));
            }
        }

        return false;
    }

    /// <summary>Looks at what answers no label, an uncommitted one, or one twice.</summary>
    /// <param name="labels">The labels: where their retention begins.</param>
    /// <param name="committed">What the group had committed after the dead letters were read.</param>
    public void Finish(TopicSnapshot labels, long[] committed)
    {
        for (int partition = 0; partition < committed.Length; partition++)
        {
            foreach (var (offset, answer) in answers.OfLabels(partition).OrderBy(pair => pair.Key).Where(pair => pair.Key >= labels.Starts[partition]))
            {
                string found = FormattableString.Invariant($"{answer.DeadLetterCount} dead letters of the label");
                if (offset >= committed[partition])
                {
                    Ahead += options.AllowsDuplicates ? 1 : 0;
                    Add(!options.AllowsDuplicates, Invariant.Beyond, FormattableString.Invariant($"nothing at or behind the committed offset {committed[partition]}"));
                }
                else
                {
                    Add(!answer.HasInput, Invariant.Different, "no answer: there is no such label");
                }

                Repeated += options.AllowsDuplicates ? answer.DeadLetterCount - 1 : 0;
                Add(answer.DeadLetterCount > 1 && !options.AllowsDuplicates, Invariant.Duplicated, "one dead letter");

                void Add(bool isWrong, Invariant invariant, string should)
                {
                    if (isWrong)
                    {
                        findings.Add(invariant, new Finding(partition, offset, null, should, found));
                    }
                }
            }
        }
    }

    private static bool IsCode(Answer answer, RefusalCode code) => string.Equals(answer.DeadLetterCode, RefusalTexts.Wire(code), StringComparison.Ordinal);

    private RefusalCode Decode(byte[]? value, long nowMs)
    {
        batch.Clear();
        return decoder.Decode(value, value is null, headers, nowMs, batch).Code;
    }
}
