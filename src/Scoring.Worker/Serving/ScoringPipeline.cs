using Microsoft.Extensions.Logging;
using Scoring.Models.Decisions;
using Scoring.Models.Ensembles;
using Scoring.Models.Events;
using Scoring.Models.Events.Scores;
using Scoring.Models.Features;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Serving;

/// <summary>Features, scores, decisions and their JSON for one micro-batch at a time: the same for a lane and for a file. For one thread.</summary>
internal sealed class ScoringPipeline : IDisposable
{
    private readonly Service service;
    private readonly FeatureEngine engine;
    private readonly FeatureBlock block;
    private readonly EnsembleScores scores;
    private readonly DecisionBatch decisions;
    private readonly double[] contributions;
    private readonly ScoringLadder ladder;
    private readonly WorkerMetrics metrics;
    private readonly TimeProvider clock;
    private readonly bool emitFeatures;
    private readonly Prometheus.Histogram.Child featuresStage;
    private readonly Prometheus.Histogram.Child inferenceStage;
    private readonly Prometheus.Histogram.Child decideStage;
    private ServingModel? model;
    private Ensemble? ensemble;
    private ScoreWriter? scoreWriter;
    private AlertWriter? alertWriter;
    private Answerer? earlier;
    private Degradation degradation;
    private int computedRows;
    private TimeSpan computing;

    /// <summary>Makes room for <paramref name="rowsMax"/> rows.</summary>
    /// <param name="service">What is computed, decided and told.</param>
    /// <param name="shared">What other partitions contribute.</param>
    /// <param name="isAlone">Whether there are no other partitions: a file. Contributions then count at once.</param>
    /// <param name="rowsMax">Most rows of a batch.</param>
    /// <param name="emitFeatures">Whether scores carry their feature vectors.</param>
    /// <param name="networkTimeoutMs">When a network counts as failed.</param>
    /// <param name="clock">Measures stages.</param>
    /// <param name="metrics">Receives them.</param>
    /// <param name="logger">Says what fails.</param>
    public ScoringPipeline(Service service, SharedAggregates shared, bool isAlone, int rowsMax, bool emitFeatures, int networkTimeoutMs, TimeProvider clock, WorkerMetrics metrics, ILogger logger)
    {
        this.service = service;
        this.emitFeatures = emitFeatures;
        this.clock = clock;
        this.metrics = metrics;
        engine = new FeatureEngine(service.Plan, shared) { AppliesDirectly = isAlone };
        block = new FeatureBlock(service.Plan.FeatureCount, rowsMax, keepExact: emitFeatures);
        scores = new EnsembleScores(rowsMax);
        decisions = new DecisionBatch(rowsMax);
        contributions = new double[service.Plan.FeatureCount];
        ladder = new ScoringLadder(networkTimeoutMs, clock, metrics, logger);
        featuresStage = metrics.StageDuration.WithLabels("features");
        inferenceStage = metrics.StageDuration.WithLabels("inference");
        decideStage = metrics.StageDuration.WithLabels("decide");
    }

    /// <summary>Time that every source of shared entities must have reached before a row may be computed; <see cref="long.MinValue"/> when it reads none.</summary>
    public long SettledHorizonMs(TransactionBatch batch, int row) => service.Plan.HasShared ? engine.SettledHorizonMs(batch, row) : long.MinValue;

    /// <summary>Computes the features of the rows accepted since the last call, one after the other.</summary>
    public void Compute(TransactionBatch batch, ReadOnlySpan<PartitionState?> states)
    {
        if (computedRows < batch.RowCount)
        {
            long started = clock.GetTimestamp();
            engine.Process(batch, computedRows, batch.RowCount - computedRows, states, block);
            computedRows = batch.RowCount;
            computing += clock.GetElapsedTime(started);
        }
    }

    /// <summary>Applies a label between two rows.</summary>
    public LabelOutcome ApplyLabel(LabelBatch labels, int row, PartitionState state) => ApplyLabel(labels.TransactionIds[row], labels.IsFraud[row], labels.Facts, row, state);

    /// <summary>Applies an outcome between two rows.</summary>
    /// <param name="transactionId">The transaction it speaks of.</param>
    /// <param name="isFraud">1, 0, or -1 for unknown.</param>
    /// <param name="facts">Its time and keys.</param>
    /// <param name="factsRow">Its row there.</param>
    /// <param name="state">State of its partition.</param>
    public LabelOutcome ApplyLabel(ReadOnlySpan<byte> transactionId, sbyte isFraud, TransactionBatch facts, int factsRow, PartitionState state) =>
        engine.ApplyLabel(transactionId, isFraud, facts, factsRow, state);

    /// <summary>Scores and decides all rows of the batch with the model of this moment.</summary>
    public void Score(TransactionBatch batch)
    {
        var current = service.Models.Current;
        if (!ReferenceEquals(current, model))
        {
            current = Take();
        }

        int rowCount = batch.RowCount;
        metrics.BatchSize.Observe(rowCount);
        featuresStage.Observe(computing.TotalSeconds);
        long started = clock.GetTimestamp();
        degradation = ladder.Score(ensemble, block, rowCount, scores);
        long scored = clock.GetTimestamp();
        inferenceStage.Observe(clock.GetElapsedTime(started, scored).TotalSeconds);
        current.Policy.Decide(batch, block, scores.Probability.AsSpan(0, rowCount), decisions);
        decideStage.Observe(clock.GetElapsedTime(scored).TotalSeconds);
    }

    /// <summary>Gathers what the score of a row tells. Rows that ask for action are explained.</summary>
    public ScoreFacts Facts(TransactionBatch batch, int row, long behindMs, long scoredAtMs, double processingMs)
    {
        double baseLogOdds = double.NaN;
        bool isExplained = ensemble is { HasTrees: true } && decisions.Decisions[row] != Decision.Approve && !double.IsNaN(scores.Trees[row]);
        if (isExplained)
        {
            baseLogOdds = ensemble!.Explain(block, row, contributions);
        }

        // A network that gives no number for a row is a step down the ladder for that row, as one that fails is for all.
        var ofRow = degradation;
        if (ofRow == Degradation.None && ensemble is { HasNetwork: true } && double.IsNaN(scores.Network[row]))
        {
            ofRow = ensemble.HasTrees ? Degradation.TreesOnly : Degradation.RulesOnly;
        }

        return new ScoreFacts
        {
            Batch = batch,
            Row = row,
            Features = block,
            Decisions = decisions,
            Score = scores.Probability[row],
            TreesScore = scores.Trees[row],
            NetworkScore = scores.Network[row],
            Contributions = isExplained ? contributions : default,
            BaseLogOdds = baseLogOdds,
            AggregatesBehindMs = behindMs,
            Degradation = behindMs > 0 ? ofRow | Degradation.StaleAggregates : ofRow,
            ScoredAtMs = scoredAtMs,
            ProcessingMs = processingMs,
        };
    }

    /// <summary>Writes scores of the model that scored the batch.</summary>
    public ScoreWriter ScoreWriter => scoreWriter!;

    /// <summary>Writes alerts of the model that scored the batch.</summary>
    public AlertWriter AlertWriter => alertWriter!;

    /// <summary>The decision of a row.</summary>
    public Decision DecisionOf(int row) => decisions.Decisions[row];

    /// <summary>The probability of a row; NaN without a model.</summary>
    public double ProbabilityOf(int row) => scores.Probability[row];

    /// <summary>Whether a row came before.</summary>
    public Repetition RepetitionOf(int row) => block.Repetitions[row];

    /// <summary>Whether a row's answer is to be remembered and is not: also of rows that were answered before this worker had their partition.</summary>
    public bool LacksAnswers(TransactionBatch batch, ReadOnlySpan<PartitionState?> states)
    {
        for (int row = 0; service.Plan.FindsRepeats && row < batch.RowCount; row++)
        {
            if (LacksAnswer(batch, row, states[batch.Partitions[row]]!))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Remembers the score that was written last.</summary>
    public void RememberWritten(TransactionBatch batch, int row, PartitionState state) =>
        state.KeepAnswer(batch.Offsets[row], scoreWriter!.Written, scoreWriter.Template.Answerer);

    /// <summary>Remembers the score of a row that is not to be written, unless it is remembered.</summary>
    public void RememberUnwritten(TransactionBatch batch, int row, PartitionState state, long behindMs, long nowMs)
    {
        if (LacksAnswer(batch, row, state))
        {
            Span<Reason> reasons = stackalloc Reason[ReasonCodes.Most];
            state.KeepAnswer(batch.Offsets[row], Facts(batch, row, behindMs, nowMs, processingMs: 0).Keep(scoreWriter!.Template, reasons), scoreWriter.Template.Answerer);
        }
    }

    /// <summary>Remembers all that is to be remembered of rows that will not be written.</summary>
    public void RememberAll(TransactionBatch batch, ReadOnlySpan<PartitionState?> states)
    {
        if (!LacksAnswers(batch, states))
        {
            return;
        }

        Score(batch);
        long nowMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
        for (int row = 0; row < batch.RowCount; row++)
        {
            RememberUnwritten(batch, row, states[batch.Partitions[row]]!, behindMs: 0, nowMs);
        }
    }

    /// <summary>Writes the score of a row that came before.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="row">The repeat.</param>
    /// <param name="state">State of its partition.</param>
    /// <param name="processingMs">From the arrival of the repeat to now, ms.</param>
    /// <param name="id">Identifier of the first one's score.</param>
    /// <returns>The JSON, good until the next score is written.</returns>
    public ReadOnlySpan<byte> Repeat(TransactionBatch batch, int row, PartitionState state, double processingMs, out Guid id)
    {
        long firstOffset = block.FirstOffsets[row];
        if (!state.TryAnswer(firstOffset, out var answer))
        {
            throw new InvalidOperationException(FormattableString.Invariant($"offset {firstOffset} of partition {state.Partition} is remembered without its answer"));
        }

        var transactionId = batch.TransactionIds[row];
        var answerer = AnswererOf(answer.AnswererNumber, state);
        id = scoreWriter!.IdOf(transactionId, answerer);
        return scoreWriter.WriteRepeat(batch, row, answer, answerer, firstOffset, processingMs);
    }

    /// <summary>Forgets the batch.</summary>
    public void Clear()
    {
        computedRows = 0;
        computing = TimeSpan.Zero;
    }

    /// <inheritdoc/>
    public void Dispose() => ensemble?.Dispose();

    private bool LacksAnswer(TransactionBatch batch, int row, PartitionState state) => block.Repetitions[row] == Repetition.None && !state.HasAnswer(batch.Offsets[row]);

    private Answerer AnswererOf(long number, PartitionState state)
    {
        if (number == scoreWriter!.Template.Answerer.Number)
        {
            return scoreWriter.Template.Answerer;
        }

        if (earlier?.Number != number)
        {
            earlier = state.AnswererOf(number) ?? throw new InvalidOperationException(FormattableString.Invariant($"an answer of partition {state.Partition} is remembered without who gave it"));
        }

        return earlier;
    }

    private ServingModel Take()
    {
        long started = clock.GetTimestamp();
        ensemble?.Dispose();
        ensemble = null;
        model = service.Models.Take(out ensemble);
        scoreWriter = new ScoreWriter(model.Template, emitFeatures);
        alertWriter = new AlertWriter(model.Template);
        metrics.ModelHandover.Observe(clock.GetElapsedTime(started).TotalSeconds);
        return model;
    }
}
