using System.Buffers;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Events.Files;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Commands;

/// <summary>Sends a recorded file to Kafka as its producers would have: events as they are, keyed by account, labels when they were reported.</summary>
/// <remarks>
/// Labels that were reported before an event are acknowledged by the broker before that event is sent, so a worker that reads
/// both topics finds them. Events that a worker would refuse are sent too, without a key.
/// </remarks>
internal sealed class FileReplay : IDisposable
{
    private const int ChunkRowsMax = 5_000;

    private readonly ServiceDefinition definition;
    private readonly ServiceTopics topics;
    private readonly TimeProvider clock;
    private readonly IProducer<byte[], byte[]> producer;
    private readonly EventDecoder decoder;
    private readonly EventHeaders headers = new();
    private readonly TransactionBatch row;
    private readonly List<Message<byte[], byte[]>> chunk = new(ChunkRowsMax);
    private readonly Queue<(long ReportedAtMs, Message<byte[], byte[]> Message)> labels = new();
    private readonly (string Name, int Column)[] labelFields;
    private readonly Action<DeliveryReport<byte[], byte[]>> delivered;
    private Error? failure;
    private long events;
    private long labelsSent;
    private long unreadable;
    private long started;

    /// <summary>Connects lazily.</summary>
    public FileReplay(ServiceDefinition definition, KafkaClients clients, TimeProvider clock)
    {
        this.definition = definition;
        this.clock = clock;
        topics = new ServiceTopics(definition);
        decoder = new EventDecoder(definition);
        row = new TransactionBatch(decoder.Schema, 1);
        producer = clients.KeyedProducer();
        delivered = report => failure ??= report.Error.IsError ? report.Error : null;
        labelFields =
        [
            .. definition.Entities.Values.SelectMany(entity => entity.Key).Distinct(StringComparer.Ordinal)
                .Where(name => !string.Equals(name, TransactionFields.AccountId, StringComparison.Ordinal))
                .Select(name => (name, decoder.Schema.ColumnIndex(decoder.Schema.IndexOf(name)))),
        ];
    }

    /// <summary>First event time sent, ms since 1970 UTC.</summary>
    public required long FromMs { get; init; }

    /// <summary>End of the event times sent, excluded.</summary>
    public required long ToMs { get; init; }

    /// <summary>Pace; 0 for none.</summary>
    public required double EventsPerSecond { get; init; }

    /// <summary>From an event to the report of its outcome.</summary>
    public required TimeSpan LabelDelay { get; init; }

    /// <summary>Whether outcomes are sent.</summary>
    public required bool SendsLabels { get; init; }

    /// <summary>What was sent, for people.</summary>
    public string Summary => FormattableString.Invariant($"{events} events to {topics.Transactions}, {labelsSent} labels to {topics.Labels}, {unreadable} records that cannot be read, {clock.GetElapsedTime(started).TotalSeconds:0.0} s");

    /// <summary>When outcomes are reported where nothing else is said: soon enough to count from event time plus delay on.</summary>
    /// <remarks>A label of a shared entity must be there a pane and the settling time before it counts; one that comes later counts later.</remarks>
    public static TimeSpan LabelDelayOf(ServiceDefinition definition)
    {
        var settling = definition.Entities.Values.Select(entity => entity.Shared is { } shared ? shared.Pane + shared.Settle : TimeSpan.Zero).DefaultIfEmpty().Max();
        var delay = definition.Labels.Delay - settling - TimeSpan.FromMinutes(1);
        return delay > TimeSpan.Zero ? delay : TimeSpan.Zero;
    }

    /// <summary>Sends a file.</summary>
    /// <exception cref="CommandFailure">The file cannot be read, or the broker does not take a record.</exception>
    public async Task RunAsync(string path, TextWriter progress, CancellationToken stopping)
    {
        started = clock.GetTimestamp();
        long told = started;
        var outcomes = SendsLabels ? new OutcomeReader(definition.Labels) : null;
        int chunkRows = EventsPerSecond > 0 ? Math.Clamp((int)(EventsPerSecond / 20), 1, ChunkRowsMax) : ChunkRowsMax;
        long chunkEndMs = long.MinValue;
        try
        {
            using var file = EventFile.Open(path);
            while (file.Read() && !stopping.IsCancellationRequested)
            {
                if (file.Problem is { } problem)
                {
                    unreadable++;
                    await progress.WriteLineAsync(FormattableString.Invariant($"line {file.LineNumber}: {problem}"));
                    continue;
                }

                if (!Take(file, outcomes, ref chunkEndMs))
                {
                    continue;
                }

                if (chunk.Count == chunkRows)
                {
                    SendChunk(chunkEndMs);
                    await KeepPaceAsync(stopping);
                    if (clock.GetElapsedTime(told).TotalSeconds >= 5)
                    {
                        told = clock.GetTimestamp();
                        await progress.WriteLineAsync(Summary);
                    }
                }
            }
        }
        catch (Exception broken) when (broken is InvalidDataException or NotSupportedException or IOException)
        {
            throw new CommandFailure(ExitCode.Data, $"{path}: {broken.Message}", broken);
        }

        SendChunk(chunkEndMs);
        SendLabels(clock.GetUtcNow().ToUnixTimeMilliseconds());
        Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => producer.Dispose();

    private bool Take(EventFile file, OutcomeReader? outcomes, ref long chunkEndMs)
    {
        headers.Clear();
        row.Clear();
        var json = file.Json.Span;
        var refusal = decoder.Decode(json, isNull: false, headers, clock.GetUtcNow().ToUnixTimeMilliseconds(), row);
        var message = new Message<byte[], byte[]> { Value = json.ToArray() };
        if (refusal.IsNone)
        {
            row.Accept(0, 0, 0);
            long timeMs = row.EventTimesMs[0];
            if (timeMs < FromMs || timeMs >= ToMs)
            {
                return false;
            }

            message.Key = row.AccountIds[0].ToArray();
            chunkEndMs = Math.Max(chunkEndMs, timeMs);
            if (outcomes?.Read(json) is >= 0 and var outcome)
            {
                long reportedAtMs = timeMs + (long)LabelDelay.TotalMilliseconds;
                labels.Enqueue((reportedAtMs, new Message<byte[], byte[]> { Key = message.Key, Value = Label(outcome == 1, timeMs, reportedAtMs) }));
            }
        }

        chunk.Add(message);
        return true;
    }

    private byte[] Label(bool isFraud, long timeMs, long reportedAtMs)
    {
        var json = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("label_id", [.. "outcome-"u8, .. row.TransactionIds[0]]);
            writer.WriteString("transaction_id", row.TransactionIds[0]);
            writer.WriteString("account_id", row.AccountIds[0]);
            writer.WriteBoolean("is_fraud", isFraud);
            writer.WriteString("source", "issuer_confirmed");
            writer.WriteString("transaction_time", Rfc3339(timeMs));
            writer.WriteString("reported_at", Rfc3339(reportedAtMs));
            foreach (var (name, column) in labelFields)
            {
                if (row.Text(column).Has(0))
                {
                    writer.WriteString(Encoding.UTF8.GetBytes(name), row.Text(column)[0]);
                }
            }

            writer.WriteEndObject();
        }

        return json.WrittenSpan.ToArray();
    }

    private void SendChunk(long chunkEndMs)
    {
        if (SendLabels(chunkEndMs))
        {
            Flush();
        }

        foreach (var message in chunk)
        {
            Send(topics.Transactions, message);
            events++;
        }

        chunk.Clear();
    }

    /// <summary>Sends the labels reported up to a time.</summary>
    private bool SendLabels(long untilMs)
    {
        long before = labelsSent;
        while (labels.TryPeek(out var next) && next.ReportedAtMs <= untilMs)
        {
            Send(topics.Labels, labels.Dequeue().Message);
            labelsSent++;
        }

        return labelsSent > before;
    }

    private void Send(string topic, Message<byte[], byte[]> message)
    {
        while (true)
        {
            try
            {
                producer.Produce(topic, message, delivered);
                return;
            }
            catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                producer.Flush(TimeSpan.FromMilliseconds(100));
            }
            catch (ProduceException<byte[], byte[]> refused)
            {
                throw new CommandFailure(ExitCode.Data, $"topic {topic} does not take a record: {refused.Error.Reason}", refused);
            }
        }
    }

    private void Flush()
    {
        int unacknowledged = producer.Flush(TimeSpan.FromSeconds(60));
        if (failure is { } error)
        {
            throw new CommandFailure(ExitCode.Unavailable, $"the broker did not take a record: {error.Reason}");
        }

        if (unacknowledged > 0)
        {
            throw new CommandFailure(ExitCode.Unavailable, FormattableString.Invariant($"{unacknowledged} records were not acknowledged within 60 s"));
        }
    }

    private async Task KeepPaceAsync(CancellationToken stopping)
    {
        if (EventsPerSecond > 0)
        {
            var ahead = TimeSpan.FromSeconds(events / EventsPerSecond) - clock.GetElapsedTime(started);
            if (ahead > TimeSpan.Zero)
            {
                await Task.Delay(ahead, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static string Rfc3339(long timeMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(timeMs).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
