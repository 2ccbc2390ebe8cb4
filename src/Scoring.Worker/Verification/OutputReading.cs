using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Scoring.Models.Events;

namespace Scoring.Worker.Verification;

/// <summary>Reads scores, alerts and dead letters as a subscriber does: by their contract, not by the code that wrote them.</summary>
/// <param name="featureNames">Names of the features, in the order of the definition.</param>
internal sealed class OutputReading(IReadOnlyList<string> featureNames)
{
    private readonly Dictionary<string, string> texts = new(StringComparer.Ordinal);

    /// <summary>Reads a score.</summary>
    /// <param name="value">The record's value.</param>
    /// <param name="source">Where its input stands.</param>
    /// <param name="transactionId">Its transaction.</param>
    /// <returns>Null when it is no score.</returns>
    public ScoreReading? Score(byte[]? value, out ScoreSource source, out string? transactionId)
    {
        if (Parse(value, out source, out transactionId) is not { } json)
        {
            return null;
        }

        using (json)
        {
            var score = json.RootElement;
            if (!score.TryGetProperty("decision", out var decision) || decision.ValueKind != JsonValueKind.String)
            {
                return null;
            }

            var thresholds = Member(score, "thresholds");
            int end = value.AsSpan().LastIndexOf(",\"scored_at\":"u8);
            return new ScoreReading
            {
                Probability = Number(Member(score, "score")) ?? double.NaN,
                EventTimeMs = Time(Member(score, "event_time")),
                Decision = Shared(decision.GetString()!),
                Review = Number(Member(thresholds, "review")),
                Decline = Number(Member(thresholds, "decline")),
                ModelSha256 = Text(Member(Member(score, "model"), "sha256")),
                DefinitionSha256 = Text(Member(Member(score, "definition"), "sha256")),
                DegradedReason = Text(Member(score, "degraded_reason")),
                Rules = Names(Member(score, "rules")),
                ShadowRules = Names(Member(score, "shadow_rules")),
                Features = Member(score, "features") is { ValueKind: JsonValueKind.Object } features ? Features(features) : null,
                DuplicateOf = Source(Member(score, "duplicate_of")),
                Digest = XxHash128.HashToUInt128(end < 0 ? value : value.AsSpan(0, end)),
            };
        }
    }

    /// <summary>Reads what an alert is about.</summary>
    /// <returns>False when it is no alert.</returns>
    public static bool Alert(byte[]? value, out ScoreSource source, out string? transactionId)
    {
        using var json = Parse(value, out source, out transactionId);
        return json is not null;
    }

    /// <summary>Reads where a dead letter's original stands.</summary>
    /// <param name="headers">Its headers.</param>
    /// <param name="topic">Topic of the original.</param>
    /// <param name="source">Where it stands there.</param>
    /// <param name="code">Why it was refused.</param>
    /// <returns>False when it is no dead letter.</returns>
    public bool DeadLetter(Headers? headers, out string? topic, out ScoreSource source, out string? code)
    {
        topic = Header(headers, "__connect.errors.topic");
        code = Header(headers, DeadLetterHeaders.Code);
        source = new ScoreSource(-1, -1);
        if (topic is null
            || !int.TryParse(Header(headers, "__connect.errors.partition"), CultureInfo.InvariantCulture, out int partition)
            || !long.TryParse(Header(headers, "__connect.errors.offset"), CultureInfo.InvariantCulture, out long offset))
        {
            return false;
        }

        source = new ScoreSource(partition, offset);
        return true;
    }

    private static JsonDocument? Parse(byte[]? value, out ScoreSource source, out string? transactionId)
    {
        source = new ScoreSource(-1, -1);
        transactionId = null;
        JsonDocument? json = null;
        try
        {
            json = JsonDocument.Parse(value ?? ReadOnlyMemory<byte>.Empty);
            if (Source(Member(json.RootElement, "source")) is { } place)
            {
                source = place;
                transactionId = Member(json.RootElement, "transaction_id") is { ValueKind: JsonValueKind.String } id ? id.GetString() : null;
                return json;
            }
        }
        catch (JsonException)
        {
            // Whatever it is, it is no answer: the caller says so.
        }

        json?.Dispose();
        return null;
    }

    private static ScoreSource? Source(JsonElement place) =>
        Member(place, "partition").ValueKind == JsonValueKind.Number
        && Member(place, "offset").ValueKind == JsonValueKind.Number
        && Member(place, "partition").TryGetInt32(out int partition)
        && Member(place, "offset").TryGetInt64(out long offset)
            ? new ScoreSource(partition, offset)
            : null;

    private double[]? Features(JsonElement features)
    {
        double[] values = new double[featureNames.Count];
        foreach (ref double value in values.AsSpan())
        {
            value = double.NaN;
        }

        int place = 0;
        int found = 0;
        foreach (var feature in features.EnumerateObject())
        {
            int index = place < values.Length && feature.NameEquals(featureNames[place]) ? place : featureNames.ToList().IndexOf(feature.Name);
            place++;
            if (index >= 0)
            {
                values[index] = Number(feature.Value) ?? double.NaN;
                found++;
            }
        }

        return found == values.Length ? values : null;
    }

    private static JsonElement Member(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) ? member : default;

    private static double? Number(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static long? Time(JsonElement value) => value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time) ? time.ToUnixTimeMilliseconds() : null;

    private string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? Shared(value.GetString()!) : null;

    private string Names(JsonElement names) =>
        names.ValueKind == JsonValueKind.Array && names.GetArrayLength() > 0 ? Shared(string.Join(',', names.EnumerateArray().Select(name => name.ToString()))) : "";

    private string? Header(Headers? headers, string name) =>
        headers is not null && headers.TryGetLastBytes(name, out byte[] bytes) && bytes is not null ? Shared(Encoding.UTF8.GetString(bytes)) : null;

    // A million scores name a handful of decisions, packages and rules.
    private string Shared(string text)
    {
        const int Most = 10_000;
        if (texts.TryGetValue(text, out string? known))
        {
            return known;
        }

        if (texts.Count < Most)
        {
            texts.Add(text, text);
        }

        return text;
    }
}
