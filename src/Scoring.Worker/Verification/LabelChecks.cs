using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Worker.Kafka;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Verification;

/// <summary>Goes through the labels: one that breaks a rule has a dead letter, a good one has none. What good ones do is in the features.</summary>
/// <remarks>Whether a label was reported in the future the clock of the worker decided: that is believed of any that says when it was reported.</remarks>
internal sealed class LabelChecks
{
    private readonly Answers answers;
    private readonly Findings findings;
    private readonly LabelDecoder decoder;
    private readonly EventHeaders headers = new();
    private readonly LabelBatch batch;

    /// <summary>Starts before the first label.</summary>
    /// <param name="service">Whose labels they are.</param>
    /// <param name="answers">What stands on the dead-letter topic.</param>
    /// <param name="findings">Receives the violations.</param>
    public LabelChecks(Service service, Answers answers, Findings findings)
    {
        this.answers = answers;
        this.findings = findings;
        decoder = new LabelDecoder(service.Definition, service.Schema);
        batch = new LabelBatch(service.Schema, rowsMax: 1);
    }

    /// <summary>Labels below the committed offset that are answered by a dead letter.</summary>
    public long Refused { get; private set; }

    /// <summary>Labels that were reported in the future, as the worker's clock said: believed.</summary>
    public long Future { get; private set; }

    /// <summary>Labels whose dead letters are no longer retained.</summary>
    public long Unanswerable { get; private set; }

    /// <summary>Takes the next label of a partition.</summary>
    /// <param name="record">The label.</param>
    /// <param name="committed">What the group had committed of the partition before the dead letters were read.</param>
    /// <param name="letters">The dead-letter topic: where its retention begins.</param>
    /// <returns>Whether the worker has refused it.</returns>
    public bool Take(ConsumeResult<Ignore, byte[]> record, long committed, TopicSnapshot letters)
    {
        int partition = record.Partition.Value;
        long offset = record.Offset.Value;
        var answer = answers.OfLabels(partition).GetValueOrDefault(offset);
        RecordHeaders.Read(record.Message.Headers, headers);
        batch.Clear();
        long nowMs = answer?.IsRefusedAs(RefusalCode.FutureTime) == true ? 0 : long.MaxValue;
        var code = decoder.Decode(record.Message.Value, record.Message.Value is null, headers, nowMs, batch).Code;
        string should = code == RefusalCode.None ? "no answer to a good label" : $"a dead letter of the label ({RefusalTexts.Wire(code)})";
        if (answer is not null)
        {
            answer.HasInput = true;
            Refused += offset < committed ? 1 : 0;
            Future += code == RefusalCode.FutureTime ? 1 : 0;
            if (code == RefusalCode.None || !answer.IsRefusedAs(code))
            {
                findings.Add(Invariant.Different, new Finding(partition, offset, null, should, $"a dead letter ({answer.DeadLetterCode})"));
            }
        }
        else if (code != RefusalCode.None && offset < committed)
        {
            bool isGone = letters.Starts[partition] > 0 && offset < answers.FirstRefusedLabel(partition);
            Unanswerable += isGone ? 1 : 0;
            if (!isGone)
            {
                findings.Add(Invariant.Lost, new Finding(partition, offset, null, should, "none"));
            }
        }

        return answer is not null;
    }
}
