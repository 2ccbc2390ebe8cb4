using Confluent.Kafka;
using Scoring.Worker.Serving;
using Scoring.Worker.Verification.Oracle;

namespace Scoring.Worker.Verification;

/// <summary>Holds what a service has published against what its input says. It stops nothing and writes nothing.</summary>
/// <remarks>
/// 1. committed offsets; 2. outputs, to where they end now; 3. committed offsets again; 4. labels and transactions, to where they end
/// now. What was committed before the outputs were read must be answered among them, labels that break a rule too; what is answered must be committed after.
/// </remarks>
internal sealed class Verifier
{
    private readonly Service service;
    private readonly ClusterReader cluster;
    private readonly VerificationOptions options;
    private readonly Findings findings;
    private readonly PackageOracle? package;
    private readonly int partitionCount;
    private readonly List<string> notChecked = [];
    private long input;
    private long scored;
    private long refused;
    private long lag;
    private long repeated;
    private long ahead;
    private long unanswerable;

    /// <summary>Prepares.</summary>
    /// <param name="service">The service.</param>
    /// <param name="cluster">Reads its topics.</param>
    /// <param name="partitionCount">Partitions of its input.</param>
    /// <param name="options">How.</param>
    /// <param name="package">What computes scores again; null for none.</param>
    /// <param name="findings">Receives the violations.</param>
    public Verifier(Service service, ClusterReader cluster, int partitionCount, VerificationOptions options, PackageOracle? package, Findings findings)
    {
        this.service = service;
        this.cluster = cluster;
        this.partitionCount = partitionCount;
        this.options = options;
        this.package = package;
        this.findings = findings;
    }

    /// <summary>Verifies.</summary>
    public async Task<VerificationReport> RunAsync(CancellationToken stopping)
    {
        var topics = service.Topics;
        var (committedBefore, labelsBefore) = await CommittedAsync(stopping);
        var answers = new Answers(new OutputReading(service.Plan.FeatureNames), topics, partitionCount, options.ReadsLabels, findings);
        var scores = await ReadAsync<Ignore>(topics.Scores, "none", answers.TakeScore, stopping);
        var letters = await ReadAsync<Ignore>(topics.DeadLetters, "headers", answers.TakeDeadLetter, stopping);
        var alerts = await ReadAsync<Ignore>(topics.Alerts, "none", answers.TakeAlert, stopping);
        var (committed, labelsAfter) = await CommittedAsync(stopping);
        var labelChecks = new LabelChecks(service, answers, findings);
        LabelQueue[]? labels = null;
        if (options.ReadsLabels)
        {
            labels = [.. Enumerable.Range(0, partitionCount).Select(_ => new LabelQueue(service.Definition, service.Schema))];
            var read = await ReadAsync<Ignore>(
                topics.Labels,
                "headers",
                record =>
                {
                    int partition = record.Partition.Value;
                    if (!labelChecks.Take(record, labelsBefore[partition], letters))
                    {
                        labels[partition].Add(record.Message.Value, record.Message.Headers);
                    }
                },
                stopping);
            for (int partition = 0; partition < partitionCount; partition++)
            {
                foreach (var (offset, answer) in answers.OfLabels(partition).OrderBy(pair => pair.Key).Where(pair => pair.Key >= read.Starts[partition]))
                {
                    CheckOnce(partition, offset, answer, labelsAfter[partition], FormattableString.Invariant($"{answer.DeadLetterCount} dead letters of the label"));
                }
            }
        }

        var contributions = new ContributionCheck();
        if (service.Plan.HasShared)
        {
            await ReadAsync<byte[]>(topics.Aggregates, "none", contributions.Take, stopping);
        }

        var oracle = new FeatureOracle(service.Definition, service.Schema, labels, partitionCount);
        var checks = new InputChecks(service, partitionCount, answers, oracle, package, findings);
        var transactions = await cluster.SnapshotAsync(topics.Transactions, partitionCount, stopping);
        NoteOpen(transactions);
        for (int partition = 0; partition < partitionCount; partition++)
        {
            if (transactions.Starts[partition] > 0)
            {
                oracle.IsCutOff(partition, answers.LatestEventMs(partition, transactions.Starts[partition]));
                notChecked.Add(FormattableString.Invariant($"partition {partition}: input before offset {transactions.Starts[partition]} is no longer retained; nor are features that look back behind it"));
            }
        }

        cluster.Read<Ignore>(transactions, "headers,timestamp", record => Count(record, checks, committedBefore, answers, scores, letters), stopping);
        checks.Finish();
        for (int i = 0; i < oracle.Shared.Count; i++)
        {
            string name = oracle.SharedNames[i];
            contributions.Compare(service.Plan.EntityNames.ToList().IndexOf(name), name, oracle.Shared[i], partition => transactions.Starts[partition] == 0, findings);
        }

        for (int partition = 0; partition < partitionCount; partition++)
        {
            foreach (var (offset, answer) in answers.Of(partition).OrderBy(pair => pair.Key).Where(pair => pair.Key >= transactions.Starts[partition]))
            {
                CheckOnce(partition, offset, answer, committed[partition], Said(answer));
                CheckAlerts(partition, offset, answer, committedBefore[partition], alerts, scores, answers);
            }
        }

        Note(Array.TrueForAll(committed, offset => offset == 0), $"the group {options.Group} has committed nothing: all input is lag (--group)");
        return Report(answers, oracle, checks, labelChecks, contributions);
    }

    private async Task<(long[] Transactions, long[] Labels)> CommittedAsync(CancellationToken stopping)
    {
        string[] inputs = options.ReadsLabels ? [service.Topics.Transactions, service.Topics.Labels] : [service.Topics.Transactions];
        var (offsets, isStable) = await cluster.CommittedAsync(options.Group, inputs, partitionCount, stopping);
        if (!isStable)
        {
            findings.Add(Invariant.OpenTransaction, new Finding(-1, -1, null, "its commit to be decided", FormattableString.Invariant($"a Kafka transaction that holds offsets of {options.Group} open for {options.Wait.TotalSeconds:0} s")));
        }

        return (offsets[service.Topics.Transactions], options.ReadsLabels ? offsets[service.Topics.Labels] : []);
    }

    private async Task<TopicSnapshot> ReadAsync<TKey>(string topic, string fields, Action<ConsumeResult<TKey, byte[]>> take, CancellationToken stopping)
    {
        var snapshot = await cluster.SnapshotAsync(topic, partitionCount, stopping);
        NoteOpen(snapshot);
        cluster.Read(snapshot, fields, take, stopping);
        return snapshot;
    }

    private void NoteOpen(TopicSnapshot snapshot)
    {
        foreach (int partition in snapshot.Open)
        {
            findings.Add(Invariant.OpenTransaction, new Finding(partition, snapshot.Ends[partition], null, "its end to be decided", FormattableString.Invariant($"a Kafka transaction open on {snapshot.Topic} for {options.Wait.TotalSeconds:0} s")));
        }
    }

    /// <summary>Counts an input record by its answer: all that was committed before the outputs were read.</summary>
    private void Count(ConsumeResult<Ignore, byte[]> record, InputChecks checks, long[] committed, Answers answers, TopicSnapshot scores, TopicSnapshot letters)
    {
        int partition = record.Partition.Value;
        long offset = record.Offset.Value;
        var answer = checks.Take(record);
        if (offset >= committed[partition])
        {
            lag++;
            return;
        }

        input++;
        scored += answer is { ScoreCount: > 0 } ? 1 : 0;
        refused += answer is { ScoreCount: 0, DeadLetterCount: > 0 } ? 1 : 0;
        if (answer is { ScoreCount: > 0 } or { DeadLetterCount: > 0 })
        {
            return;
        }

        // Where retention has taken the first answers, what they answered cannot be asked for any more.
        bool isGone = (scores.Starts[partition] > 0 && offset < answers.FirstScored(partition)) || (letters.Starts[partition] > 0 && offset < answers.FirstRefused(partition));
        unanswerable += isGone ? 1 : 0;
        if (!isGone)
        {
            findings.Add(Invariant.Lost, new Finding(partition, offset, checks.TransactionId, "a score or a dead letter", "neither"));
        }
    }

    /// <summary>Whether an input record that is committed is answered once, and no other at all.</summary>
    private void CheckOnce(int partition, long offset, Answer answer, long committed, string said)
    {
        bool isAhead = offset >= committed;
        ahead += isAhead && options.AllowsDuplicates ? 1 : 0;
        if (isAhead && !options.AllowsDuplicates)
        {
            Add(Invariant.Beyond, FormattableString.Invariant($"nothing at or behind the committed offset {committed}"), said);
        }
        else if (!isAhead && !answer.HasInput)
        {
            Add(Invariant.Different, "no answer: there is no such input record", said);
        }

        int extra = answer.ScoreCount + answer.DeadLetterCount - 1;
        bool isSame = !answer.ScoresDiffer && (answer.ScoreCount == 0 || answer.DeadLetterCount == 0);
        if (extra > 0 && !(options.AllowsDuplicates && isSame))
        {
            Add(Invariant.Duplicated, "one score or one dead letter", said + (answer.ScoresDiffer ? " that say different things" : ""));
        }

        repeated += extra > 0 && options.AllowsDuplicates && isSame ? extra : 0;

        void Add(Invariant invariant, string should, string found) => findings.Add(invariant, new Finding(partition, offset, answer.TransactionId, should, found));
    }

    private void CheckAlerts(int partition, long offset, Answer answer, long committedBefore, TopicSnapshot alerts, TopicSnapshot scores, Answers answers)
    {
        bool isGone = (alerts.Starts[partition] > 0 && offset < answers.FirstAlerted(partition)) || (scores.Starts[partition] > 0 && offset < answers.FirstScored(partition));
        if (isGone || offset >= committedBefore)
        {
            return; // What a working worker has published meanwhile may stand on one topic and not yet on the other as it was read.
        }

        bool asks = answer.Score is { DuplicateOf: null } && !string.Equals(answer.Score.Decision, "approve", StringComparison.Ordinal);
        bool isRight = !asks ? answer.AlertCount == 0 : options.AllowsDuplicates ? answer.AlertCount > 0 : answer.AlertCount == 1;
        if (!isRight)
        {
            string should = answer.Score is null ? "no alert without a score" : answer.Score.DuplicateOf is not null ? "no alert for a repeat" : asks ? $"one alert for {answer.Score.Decision}" : "no alert for approve";
            findings.Add(Invariant.Torn, new Finding(partition, offset, answer.TransactionId, should, FormattableString.Invariant($"{answer.AlertCount} alerts")));
        }
    }

    private static string Said(Answer answer) => FormattableString.Invariant($"{answer.ScoreCount} scores, {answer.DeadLetterCount} dead letters, {answer.AlertCount} alerts");

    private VerificationReport Report(Answers answers, FeatureOracle oracle, InputChecks checks, LabelChecks labels, ContributionCheck contributions)
    {
        notChecked.AddRange(oracle.NotChecked);
        Note(!answers.HaveFeatures, "features and decisions: no score carries its features (run --emit features)");
        Note(package is null, "score: no package is given (--package)");
        Note(package?.NotChecked is not null, package?.NotChecked ?? "");
        NoteCount(checks.Figures.Stale, "scores marked stale_aggregates: their shared features");
        NoteCount(oracle.TooLate, "scores of events more than an hour behind their partition: their shared features");
        NoteCount(checks.Figures.CrashSuspects, "events refused as crash_suspect: whether they ended the process");
        NoteCount(checks.Figures.Future + labels.Future, "events and labels refused as future_time: what the clock of the worker said");
        NoteCount(checks.Figures.AnswersTooLarge, "events with dead letters in place of their answers (answer_too_large): what their answers were");
        NoteCount(checks.Figures.OtherDefinition, "scores made under another definition: their values");
        NoteCount(checks.Figures.OtherPackage, "scores of another package: their score");
        NoteCount(unanswerable + labels.Unanswerable, "input records whose answers are no longer retained");
        NoteCount(answers.OtherDeadLetters, "dead letters of topics that are no input of the service");
        return new VerificationReport
        {
            In = input,
            Scored = scored,
            Refused = refused,
            Lag = lag,
            RefusedLabels = labels.Refused,
            Repeated = repeated,
            Ahead = ahead,
            Findings = findings,
            Figures = checks.Figures,
            ContributionsCompared = contributions.Compared,
            ScoresComputed = package?.Compared ?? 0,
            NotChecked = notChecked,
        };
    }

    private void NoteCount(long count, string what) => Note(count > 0, FormattableString.Invariant($"{count} {what}"));

    private void Note(bool holds, string line)
    {
        if (holds)
        {
            notChecked.Add(line);
        }
    }
}
