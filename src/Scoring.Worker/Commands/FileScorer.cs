using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Scoring.Models.Events;
using Scoring.Models.Events.Files;
using Scoring.Models.Features;
using Scoring.Worker.Configuration;
using Scoring.Worker.Lanes;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Commands;

/// <summary>Scores the events of one file, in the order of the file, as one partition.</summary>
/// <remarks>Where the definition says in which member a row carries its outcome, that outcome counts from event time plus the labels' delay on.</remarks>
internal sealed class FileScorer : IDisposable
{
    private readonly Service service;
    private readonly TimeProvider clock;
    private readonly TransactionBatch batch;
    private readonly PartitionState state;
    private readonly PartitionState?[] states;
    private readonly ScoringPipeline pipeline;
    private readonly EventDecoder decoder;
    private readonly EventHeaders headers = new();
    private readonly OutcomeReader? outcomes;
    private readonly WorkerMetrics metrics;

    /// <summary>Makes room for batches of the set size.</summary>
    public FileScorer(Service service, WorkerSettings settings, TimeProvider clock, WorkerMetrics metrics, ILogger logger)
    {
        this.service = service;
        this.clock = clock;
        this.metrics = metrics;
        batch = new TransactionBatch(service.Schema, settings.Lanes.RowsMax);
        state = new PartitionState(service.Plan, 0);
        states = [state];
        pipeline = new ScoringPipeline(service, new SharedAggregates(service.Plan, 1), isAlone: true, settings.Lanes.RowsMax, settings.Lanes.EmitFeatures, settings.Serving.NetworkTimeoutMs, clock, metrics, logger);
        decoder = new EventDecoder(service.Definition);
        outcomes = service.Plan.HasLabels && service.Definition.Labels.Path is not null ? new OutcomeReader(service.Definition.Labels) : null;
    }

    /// <summary>Scores a file.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="output">Receives one JSON line for each good event.</param>
    /// <param name="refused">Receives one JSON line for each refused one.</param>
    /// <returns>0, or 65 when the file itself cannot be read to its end.</returns>
    /// <exception cref="CommandFailure">The file may not be read.</exception>
    /// <exception cref="IOException">An output takes no more.</exception>
    public int Run(string path, Stream output, TextWriter refused)
    {
        using var buffered = new BufferedStream(output, 1 << 16);
        string? unreadable = Score(path, buffered, refused);
        Answer(buffered, refused);
        buffered.Flush();
        if (unreadable is not null)
        {
            refused.WriteLine(unreadable);
        }

        refused.Flush();
        return unreadable is null ? ExitCode.Ok : ExitCode.Data;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        pipeline.Dispose();
        state.Dispose();
    }

    /// <summary>Scores what can be read.</summary>
    /// <returns>Why that is not all, or null.</returns>
    private string? Score(string path, BufferedStream output, TextWriter refused)
    {
        EventFile opened;
        try
        {
            opened = InputFile.Read(path, "file of events", file => EventFile.Open(file));
        }
        catch (NotSupportedException unknown)
        {
            return unknown.Message;
        }

        using var events = opened;
        while (true)
        {
            try
            {
                if (!events.Read())
                {
                    return null;
                }
            }
            catch (Exception unreadable) when (unreadable is InvalidDataException or IOException)
            {
                return unreadable.Message;
            }

            Take(events, refused);
            if (batch.IsFull)
            {
                Answer(output, refused);
            }
        }
    }

    private void Take(EventFile file, TextWriter refused)
    {
        if (file.Problem is { } problem)
        {
            Refuse(refused, file.LineNumber, RefusalTexts.Wire(RefusalCode.MalformedJson), "", problem);
            return;
        }

        headers.Clear();
        var refusal = decoder.Decode(file.Json.Span, isNull: false, headers, clock.GetUtcNow().ToUnixTimeMilliseconds(), batch);
        if (!refusal.IsNone)
        {
            Refuse(refused, file.LineNumber, RefusalTexts.Wire(refusal.Code), refusal.Field, RefusalTexts.Hint(refusal));
            return;
        }

        int row = batch.RowCount;
        batch.Accept(0, file.LineNumber, appendTimeMs: 0);
        if (outcomes?.Read(file.Json.Span) is >= 0 and var outcome)
        {
            // Known at once, counted from event time plus delay on: as the trainer does.
            pipeline.Compute(batch, states);
            pipeline.ApplyLabel(batch.TransactionIds[row], outcome, batch, row, state);
        }
    }

    private void Answer(BufferedStream output, TextWriter refused)
    {
        if (batch.RowCount == 0)
        {
            return;
        }

        long started = clock.GetTimestamp();
        pipeline.Compute(batch, states);
        pipeline.Score(batch);
        long nowMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
        double processingMs = clock.GetElapsedTime(started).TotalMilliseconds;
        for (int row = 0; row < batch.RowCount; row++)
        {
            switch (pipeline.RepetitionOf(row))
            {
                case Repetition.Conflict:
                    var conflict = LaneRepeats.Conflict(service.Definition);
                    Refuse(refused, batch.Offsets[row], RefusalTexts.Wire(conflict.Code), conflict.Field, RefusalTexts.Hint(conflict));
                    continue;
                case Repetition.Repeat:
                    output.Write(pipeline.Repeat(batch, row, state, processingMs, out _));
                    break;
                default:
                    output.Write(pipeline.ScoreWriter.Write(pipeline.Facts(batch, row, behindMs: 0, nowMs, processingMs)));
                    if (state.RemembersAnswers)
                    {
                        pipeline.RememberWritten(batch, row, state);
                    }

                    break;
            }

            output.WriteByte((byte)'\n');
        }

        state.DropForgottenAnswers();
        batch.Clear();
        pipeline.Clear();
    }

    private void Refuse(TextWriter refused, long line, string code, string field, string hint)
    {
        metrics.DeadLetters.WithLabels(code).Inc();
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteNumber("line", line);
            writer.WriteString("code", code);
            writer.WriteString("field", field);
            writer.WriteString("hint", hint);
            writer.WriteEndObject();
        }

        refused.WriteLine(Encoding.UTF8.GetString(json.GetBuffer().AsSpan(0, (int)json.Length)));
    }
}
