using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Worker.Kafka;
using Scoring.Worker.Serving;
using Scoring.Worker.Verification.Oracle;

namespace Scoring.Worker.Verification;

/// <summary>Goes through the input and compares every answer with what decoder, oracle, rules and package say.</summary>
internal sealed class InputChecks
{
    private readonly Answers answers;
    private readonly Findings findings;
    private readonly FeatureOracle oracle;
    private readonly DecisionOracle decisions;
    private readonly PackageOracle? package;
    private readonly EventDecoder decoder;
    private readonly EventHeaders headers = new();
    private readonly TransactionBatch batch;
    private readonly Expectation[] expected;
    private readonly bool[] isChecked;
    private readonly string definitionSha256;
    private readonly RepeatOracle[]? repeats;
    private readonly long[] firstOffsets;

    /// <summary>Starts before the first record.</summary>
    public InputChecks(Service service, int partitionCount, Answers answers, FeatureOracle oracle, PackageOracle? package, Findings findings)
    {
        this.answers = answers;
        this.findings = findings;
        this.oracle = oracle;
        this.package = package;
        decoder = new EventDecoder(service.Definition);
        batch = new TransactionBatch(decoder.Schema, 1);
        decisions = new DecisionOracle(service.Definition, decoder.Schema);
        expected = new Expectation[oracle.Features.Count];
        isChecked = [.. oracle.Features.Select(feature => !oracle.NotChecked.Contains(feature.Name, StringComparer.Ordinal))];
        definitionSha256 = service.Definition.Digest;
        repeats = service.Definition.Duplicates is { } duplicates ? [.. Enumerable.Range(0, partitionCount).Select(_ => new RepeatOracle(duplicates, decoder.Schema))] : null;
        firstOffsets = [.. Enumerable.Repeat(long.MaxValue, partitionCount)];
    }

    /// <summary>Figures of what was compared and what could not be.</summary>
    public CheckFigures Figures { get; } = new();

    /// <summary>Takes the next record of a partition.</summary>
    /// <returns>The answer that stands for it; null when there is none.</returns>
    public Answer? Take(ConsumeResult<Ignore, byte[]> record)
    {
        int partition = record.Partition.Value;
        long offset = record.Offset.Value;
        var answer = answers.Find(partition, offset);
        string? refusal = Decode(record, answer);
        string? transactionId = refusal is null ? System.Text.Encoding.UTF8.GetString(batch.TransactionIds[0]) : null;
        TransactionId = transactionId;
        if (answer is not null)
        {
            answer.HasInput = true;
            answer.TransactionId ??= transactionId;
        }

        if (refusal is not null)
        {
            if (answer?.Score is not null)
            {
                Differs(partition, offset, answer.TransactionId, $"a dead letter ({refusal})", "a score");
            }

            return answer;
        }

        if (answer?.IsRefusedAs(RefusalCode.CrashSuspect) == true)
        {
            Figures.CrashSuspects++; // That it ended the process nobody can tell from the topics.
            return answer;
        }

        firstOffsets[partition] = Math.Min(firstOffsets[partition], offset);
        if (answer?.IsRefusedAs(RefusalCode.AnswerTooLarge) == true)
        {
            Figures.AnswersTooLarge++; // It counts as any other does; what its answer was nobody can tell from the topics.
            if (IsRepeat(partition, offset, transactionId!, answer: null))
            {
                oracle.Pass(partition, batch.EventTimesMs[0]);
            }
            else
            {
                Compare(partition, offset, transactionId!, answer: null);
            }

            return answer;
        }

        if (IsRepeat(partition, offset, transactionId!, answer))
        {
            oracle.Pass(partition, batch.EventTimesMs[0]);
            return answer;
        }

        if (answer is { DeadLetterCount: > 0, Score: null })
        {
            // The worker has kept nothing of it: neither does the oracle, or one difference would make a hundred.
            Differs(partition, offset, transactionId, "a score", $"a dead letter ({answer.DeadLetterCode})");
            return answer;
        }

        Compare(partition, offset, transactionId!, answer);
        return answer;
    }

    /// <summary>Compares what waits for every partition.</summary>
    public void Finish()
    {
        oracle.ReadShared((row, feature, value) => ((ComparedRow)row).Take(this, feature, value));
        package?.Finish();
    }

    /// <summary>Transaction of the record taken last; null where it does not decode.</summary>
    public string? TransactionId { get; private set; }

    /// <summary>Null when the event is good: then it stands in the batch. Else the refusal's code.</summary>
    /// <remarks>Whether an event was in the future the clock of the worker decided, and what wrote the record may have another: the worker's answer is believed.</remarks>
    private string? Decode(ConsumeResult<Ignore, byte[]> record, Answer? answer)
    {
        byte[]? value = record.Message.Value;
        RecordHeaders.Read(record.Message.Headers, headers);
        batch.Clear();
        long writtenMs = record.Message.Timestamp.UnixTimestampMs;
        bool isFuture = answer?.IsRefusedAs(RefusalCode.FutureTime) == true;
        var refusal = decoder.Decode(value, value is null, headers, isFuture ? 0 : answer is null ? writtenMs : long.MaxValue, batch);
        Figures.Future += isFuture && refusal.Code == RefusalCode.FutureTime ? 1 : 0;
        if (!refusal.IsNone)
        {
            return RefusalTexts.Wire(refusal.Code);
        }

        batch.Accept(record.Partition.Value, record.Offset.Value, writtenMs);
        return null;
    }

    /// <summary>Whether an event came before. Then its answer is held against the first one's.</summary>
    private bool IsRepeat(int partition, long offset, string transactionId, Answer? answer)
    {
        var score = answer?.Score;
        if (score?.DuplicateOf is { } named && (named.Partition != partition || named.Offset < firstOffsets[partition]))
        {
            if (named.Partition != partition || firstOffsets[partition] == 0)
            {
                Differs(partition, offset, transactionId, "a repeat of the same partition", FormattableString.Invariant($"one of partition {named.Partition} offset {named.Offset}"));
            }

            return true; // Its first one is no longer retained.
        }

        long firstOffset = -1;
        var repetition = repeats?[partition].Take(batch, 0, transactionId, out firstOffset) ?? Repetition.None;
        bool isOtherDefinition = score is { DuplicateOf: null } && !string.Equals(score.DefinitionSha256, definitionSha256, StringComparison.Ordinal);
        if (repetition == Repetition.None)
        {
            if (score?.DuplicateOf is { } wrong)
            {
                Differs(partition, offset, transactionId, "an answer of its own", FormattableString.Invariant($"the answer to offset {wrong.Offset}"));
            }

            return false;
        }

        if (answer is null || isOtherDefinition)
        {
            Figures.OtherDefinition += isOtherDefinition ? 1 : 0;
            return true;
        }

        Figures.Duplicates++;
        if (repetition == Repetition.Conflict)
        {
            string should = $"a dead letter ({RefusalTexts.Wire(RefusalCode.DuplicateConflict)})";
            if (score is not null)
            {
                Differs(partition, offset, transactionId, should, "a score");
            }
            else if (!answer.IsRefusedAs(RefusalCode.DuplicateConflict))
            {
                Differs(partition, offset, transactionId, should, $"a dead letter ({answer.DeadLetterCode})");
            }
        }
        else if (score?.DuplicateOf?.Offset != firstOffset)
        {
            Differs(partition, offset, transactionId, FormattableString.Invariant($"the answer to offset {firstOffset}"), score?.DuplicateOf is { } other ? FormattableString.Invariant($"the answer to offset {other.Offset}") : score is null ? $"a dead letter ({answer.DeadLetterCode})" : "an answer of its own");
        }
        else if (answers.Find(partition, firstOffset)?.Score is { } first && !SaysTheSame(first, score))
        {
            Differs(partition, offset, transactionId, FormattableString.Invariant($"{first.Decision} {first.Probability:R} [{first.Rules}] as to offset {firstOffset}"), FormattableString.Invariant($"{score.Decision} {score.Probability:R} [{score.Rules}]"));
        }

        return true;
    }

    private bool SaysTheSame(ScoreReading first, ScoreReading repeat) =>
        first.Probability.Equals(repeat.Probability)
        && (first.Review, first.Decline) == (repeat.Review, repeat.Decline)
        && string.Equals(first.Decision, repeat.Decision, StringComparison.Ordinal)
        && string.Equals(first.ModelSha256, repeat.ModelSha256, StringComparison.Ordinal)
        && string.Equals(first.DefinitionSha256, repeat.DefinitionSha256, StringComparison.Ordinal)
        && string.Equals(first.DegradedReason, repeat.DegradedReason, StringComparison.Ordinal)
        && (!string.Equals(first.DefinitionSha256, definitionSha256, StringComparison.Ordinal) // Names of an earlier definition's rules are not told again.
            || (string.Equals(first.Rules, repeat.Rules, StringComparison.Ordinal) && string.Equals(first.ShadowRules, repeat.ShadowRules, StringComparison.Ordinal)));

    private void Compare(int partition, long offset, string transactionId, Answer? answer)
    {
        var score = answer?.Score;
        bool isOurs = score is not null && string.Equals(score.DefinitionSha256, definitionSha256, StringComparison.Ordinal);
        Figures.OtherDefinition += score is not null && !isOurs ? 1 : 0;
        double[]? features = isOurs ? score!.Features : null;
        bool scoreIsChecked = isOurs && package is { NotChecked: null } && string.Equals(score!.ModelSha256 ?? package.Sha256, package.Sha256, StringComparison.Ordinal);
        Figures.OtherPackage += isOurs && package is not null && score!.ModelSha256 is { } model && !string.Equals(model, package.Sha256, StringComparison.Ordinal) ? 1 : 0;
        bool asksOracle = isOurs && (features is not null || scoreIsChecked);
        var reader = asksOracle && oracle.Shared.Count > 0 && !score!.IsStale
            ? new ComparedRow(partition, offset, batch.EventTimesMs[0], transactionId, score, features is null ? new double[expected.Length] : null, oracle.IsShared.Count(isShared => isShared))
            : null;
        Figures.Stale += isOurs && score!.IsStale && oracle.Shared.Count > 0 ? 1 : 0;
        oracle.Take(batch, 0, partition, expected, reader);
        if (!asksOracle)
        {
            return;
        }

        if (features is not null)
        {
            CompareFeatures(partition, offset, transactionId, score!, features);
        }

        if (scoreIsChecked && features is not null)
        {
            package!.Check(partition, offset, transactionId, score!, features);
        }
        else if (scoreIsChecked && reader is not null)
        {
            reader.Begin(expected, oracle);
        }
        else if (scoreIsChecked && Array.TrueForAll(expected, value => value.IsCertain))
        {
            package!.Check(partition, offset, transactionId, score!, Array.ConvertAll(expected, value => value.Least));
        }
    }

    private void CompareFeatures(int partition, long offset, string transactionId, ScoreReading score, double[] features)
    {
        Figures.RowsWithFeatures++;
        for (int i = 0; i < features.Length; i++)
        {
            if (oracle.IsShared[i] && score.IsStale)
            {
                continue;
            }

            CompareFeature(partition, offset, transactionId, oracle.Features[i], expected[i], features[i]);
        }

        var scoredBy = package is not null && string.Equals(package.Sha256, score.ModelSha256, StringComparison.Ordinal) ? package.Manifest : null;
        if (decisions.Thresholds(scoredBy) is { } due && !(due.Review.Equals(score.Review) && due.Decline.Equals(score.Decline)))
        {
            Differs(partition, offset, transactionId, FormattableString.Invariant($"thresholds {due.Review:R} and {due.Decline:R}"), FormattableString.Invariant($"thresholds {score.Review:R} and {score.Decline:R}"));
        }

        var (decision, rules, shadowRules) = decisions.Decide(batch, 0, score);
        if (!string.Equals(decision, score.Decision, StringComparison.Ordinal))
        {
            Differs(partition, offset, transactionId, $"decision {decision}", $"decision {score.Decision}");
        }

        if (!string.Equals(rules, score.Rules, StringComparison.Ordinal) || !string.Equals(shadowRules, score.ShadowRules, StringComparison.Ordinal))
        {
            Differs(partition, offset, transactionId, $"rules [{rules}] [{shadowRules}]", $"rules [{score.Rules}] [{score.ShadowRules}]");
        }
    }

    private void CompareFeature(int partition, long offset, string transactionId, OracleFeature feature, Expectation value, double found)
    {
        if (!isChecked[feature.Index])
        {
            return;
        }

        Figures.Values += value.IsKnown ? 1 : 0;
        if (!value.Admits(found, feature.IsCounted))
        {
            string range = value.IsCertain ? FormattableString.Invariant($"{value.Least:R}") : FormattableString.Invariant($"{value.Least:R} to {value.Most:R}");
            Differs(partition, offset, transactionId, $"{feature.Name} {range}", FormattableString.Invariant($"{feature.Name} {found:R}"));
        }
    }

    private void Differs(int partition, long offset, string? transactionId, string should, string found) =>
        findings.Add(Invariant.Different, new Finding(partition, offset, transactionId, should, found));

    /// <summary>A row that waits for its shared features; without emitted ones it gathers the whole vector for the package.</summary>
    private sealed class ComparedRow(int partition, long offset, long timeMs, string transactionId, ScoreReading score, double[]? vector, int sharedLeft) : OracleRow(partition, offset, timeMs)
    {
        private int left = sharedLeft;
        private bool isWhole;

        public void Begin(Expectation[] values, FeatureOracle oracle)
        {
            isWhole = true;
            for (int i = 0; i < values.Length; i++)
            {
                bool comes = oracle.IsShared[i] && !values[i].IsKnown; // A shared feature without a key is known already.
                vector![i] = values[i].Least;
                isWhole &= comes || values[i].IsCertain;
                left -= oracle.IsShared[i] && !comes ? 1 : 0;
            }
        }

        public void Take(InputChecks checks, OracleFeature feature, Expectation value)
        {
            if (vector is null)
            {
                checks.CompareFeature(Partition, Offset, transactionId, feature, value, score.Features![feature.Index]);
                return;
            }

            vector[feature.Index] = value.Least;
            isWhole &= value.IsCertain;
            if (--left == 0 && isWhole)
            {
                checks.package!.Check(Partition, Offset, transactionId, score, vector);
            }
        }
    }
}
