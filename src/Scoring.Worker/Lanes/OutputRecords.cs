using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Prometheus;
using Scoring.Models.Decisions;
using Scoring.Models.Events;
using Scoring.Models.Events.Scores;
using Scoring.Models.Features;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Lanes;

/// <summary>What a lane publishes: scores, alerts and dead letters, each to the partition number of the record it answers, each counted.</summary>
internal sealed class OutputRecords
{
    /// <summary>What a header takes beside its name and value, at most: two lengths.</summary>
    private const int HeaderBytes = 8;

    private readonly LaneOutput output;
    private readonly ServiceTopics topics;
    private readonly WorkerMetrics metrics;
    private readonly TimeProvider clock;
    private readonly TopicPartition[] scoreTargets;
    private readonly TopicPartition[] alertTargets;
    private readonly ReusedHeaders scoreHeaders;
    private readonly ReusedHeaders alertHeaders;
    private readonly OutputCounts counts;
    private readonly bool settlesAtOnce;
    private readonly PlantedBug planted;
    private readonly Counter.Child consumed;
    private readonly Histogram.Child produceStage;
    private long scoredAtMs;
    private double processingMs;
    private long batchStarted;
    private long writeStarted;

    /// <summary>Prepares targets, headers and counters.</summary>
    public OutputRecords(LaneOutput output, LaneContext context)
    {
        this.output = output;
        topics = context.Topics;
        metrics = context.Metrics;
        clock = context.Clock;
        scoreTargets = [.. Enumerable.Range(0, context.PartitionCount).Select(partition => new TopicPartition(topics.Scores, partition))];
        alertTargets = [.. Enumerable.Range(0, context.PartitionCount).Select(partition => new TopicPartition(topics.Alerts, partition))];
        scoreHeaders = new ReusedHeaders(ScoreHeaders.OfScores(context.Definition.Service));
        alertHeaders = new ReusedHeaders(ScoreHeaders.OfAlerts(context.Definition.Service));
        counts = new OutputCounts(metrics);
        settlesAtOnce = !context.IsExactlyOnce;
        planted = context.Planted.Bug;
        consumed = metrics.EventsConsumed.WithLabels(topics.Transactions);
        produceStage = metrics.StageDuration.WithLabels("produce");
    }

    /// <summary>A transaction was read.</summary>
    public void Consumed() => consumed.Inc();

    /// <summary>A label was applied.</summary>
    public void Labelled(LabelOutcome outcome)
    {
        counts.Count(outcome);
        SettleUnlessCommitted();
    }

    /// <summary>What was counted since the last call is committed: the metrics tell it.</summary>
    public void Settle() => counts.Settle();

    /// <summary>What was counted since then is taken back.</summary>
    public void Discard() => counts.Discard();

    /// <summary>Begins to publish a batch.</summary>
    /// <param name="nowMs">Wall clock of the cycle, ms since 1970 UTC.</param>
    /// <param name="started">Timestamp at which the cycle began.</param>
    public void Begin(long nowMs, long started)
    {
        writeStarted = clock.GetTimestamp();
        batchStarted = started;
        processingMs = clock.GetElapsedTime(started, writeStarted).TotalMilliseconds;
        scoredAtMs = nowMs + (long)processingMs;
    }

    /// <summary>Publishes the score of a row, and its alert where it asks for action.</summary>
    public void Write(TransactionBatch batch, int row, ScoringPipeline pipeline, long behindMs)
    {
        int partition = batch.Partitions[row];
        var key = batch.AccountIds[row];
        var facts = pipeline.Facts(batch, row, behindMs, scoredAtMs, processingMs);
        var writer = pipeline.ScoreWriter;
        output.Produce(scoreTargets[partition], key, writer.Write(facts), scoreHeaders.For(writer.IdOf(batch.TransactionIds[row]), batch.EventTimesMs[row]));
        var decision = pipeline.DecisionOf(row);
        counts.Count(decision, behindMs > 0);
        if (decision != Decision.Approve && !(planted == PlantedBug.AlertLeftOut && batch.Offsets[row] % 5 == 0))
        {
            var alerts = pipeline.AlertWriter;
            output.Produce(alertTargets[partition], key, alerts.Write(facts), alertHeaders.For(alerts.IdOf(batch.TransactionIds[row]), batch.EventTimesMs[row]));
        }

        if (!double.IsNaN(facts.Score))
        {
            metrics.Score.Observe(facts.Score);
        }
    }

    /// <summary>Publishes the score of a row that came before: what its first one was answered. The alert, if it asked for one, was published then.</summary>
    public void Repeat(TransactionBatch batch, int row, ScoringPipeline pipeline, PartitionState state)
    {
        var json = pipeline.Repeat(batch, row, state, processingMs, out var id);
        output.Produce(scoreTargets[batch.Partitions[row]], batch.AccountIds[row], json, scoreHeaders.For(id, batch.EventTimesMs[row]));
        counts.CountRepeat();
    }

    /// <summary>Ends a batch: measures it.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="isAnswered">Whether anything of it was published.</param>
    public void End(TransactionBatch batch, bool isAnswered)
    {
        if (!isAnswered)
        {
            return;
        }

        long ended = clock.GetTimestamp();
        SettleUnlessCommitted();
        produceStage.Observe(clock.GetElapsedTime(writeStarted, ended).TotalSeconds);
        metrics.ProcessingDuration.Observe(clock.GetElapsedTime(batchStarted, ended).TotalSeconds);
        long oldestMs = long.MaxValue;
        foreach (long appendTimeMs in batch.AppendTimesMs.AsSpan(0, batch.RowCount))
        {
            oldestMs = Math.Min(oldestMs, appendTimeMs);
        }

        metrics.EventLatency.Observe(Math.Max(0, scoredAtMs - oldestMs) / 1_000.0);
    }

    /// <summary>Publishes a refused record: its bytes and headers, and ours that say why. No card number leaves with it.</summary>
    /// <param name="record">The record.</param>
    /// <param name="isBare">Without its bytes and headers: the broker does not take them.</param>
    public void DeadLetter(RefusedRecord record, bool isBare = false)
    {
        int bytesMax = isBare ? 0 : DeadLetterValue.BytesMax;
        var value = DeadLetterValue.Of(record.Value.Span, bytesMax);
        var key = DeadLetterValue.Of(record.Key.Span, bytesMax);
        var headers = new Headers();
        int leftOut = 0;
        int room = isBare ? 0 : DeadLetterHeaders.OriginalBytesMax;
        for (int i = 0; i < (record.Headers?.Count ?? 0); i++)
        {
            var header = record.Headers![i];
            byte[]? bytes = header.GetValueBytes() is { } original ? DeadLetterValue.Of(original).Bytes : null;
            int size = HeaderBytes + Encoding.UTF8.GetByteCount(header.Key) + (bytes?.Length ?? 0);
            if (size > room)
            {
                leftOut++;
                continue;
            }

            room -= size;
            headers.Add(header.Key, bytes!);
        }

        if (leftOut > 0)
        {
            headers.Add(DeadLetterHeaders.HeadersTruncated, Encoding.UTF8.GetBytes(leftOut.ToString(CultureInfo.InvariantCulture)));
        }

        foreach (var (name, text) in DeadLetterHeaders.For(record.Refusal, value, record.Topic, record.Partition, record.Offset, Build.Version))
        {
            headers.Add(name, text);
        }

        // A producer may state a creation time only; where the broker stamped the record, the dead letter gets a time of its own.
        var time = record.Timestamp.Type == TimestampType.CreateTime ? record.Timestamp : Timestamp.Default;
        output.Produce(new TopicPartition(topics.DeadLetters, record.Partition), key.Bytes, value.Bytes, headers, time, !record.Key.IsNull, !record.Value.IsNull);
        counts.Count(record.Refusal.Code);
        SettleUnlessCommitted();
    }

    /// <summary>At least once, what is handed over counts; exactly once, what is committed.</summary>
    private void SettleUnlessCommitted()
    {
        if (settlesAtOnce)
        {
            counts.Settle();
        }
    }

    /// <summary>The headers of one topic's records: one list, whose identifier and time are written over in place. The producer copies them.</summary>
    private sealed class ReusedHeaders
    {
        private readonly Headers headers = [];
        private readonly byte[] id = new byte[ScoreHeaders.IdLength];
        private readonly byte[] time = new byte[ScoreHeaders.TimeLength];

        public ReusedHeaders(ScoreHeaders names)
        {
            foreach (var (name, value) in names.Fixed)
            {
                headers.Add(name, value);
            }

            headers.Add(ScoreHeaders.Id, id);
            headers.Add(ScoreHeaders.Time, time);
        }

        public Headers For(Guid recordId, long eventTimeMs)
        {
            ScoreHeaders.WriteId(recordId, id);
            ScoreHeaders.WriteTime(eventTimeMs, time);
            return headers;
        }
    }
}
