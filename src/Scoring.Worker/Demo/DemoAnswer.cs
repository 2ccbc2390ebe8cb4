using System.Runtime.InteropServices;
using System.Text.Json;

namespace Scoring.Worker.Demo;

/// <summary>What the demo reads of a score.</summary>
/// <param name="Sequence">Sequence of the simulated payment; -1 when it is none.</param>
/// <param name="IsAlert">Whether the decision is to review or to decline.</param>
/// <param name="IsDegraded">Whether something was missing that a healthy service has.</param>
/// <param name="ScoredAt">When the score was made.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct DemoAnswer(long Sequence, bool IsAlert, bool IsDegraded, DateTimeOffset ScoredAt)
{
    /// <summary>Reads the members it needs and skips the others.</summary>
    public static DemoAnswer Read(ReadOnlySpan<byte> score)
    {
        var (sequence, isAlert, isDegraded, scoredAt) = (-1L, false, false, default(DateTimeOffset));
        var json = new Utf8JsonReader(score);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("transaction_id"u8))
            {
                json.Read();
                sequence = TrafficJsonWriter.SequenceOf(json.GetString());
            }
            else if (json.ValueTextEquals("decision"u8))
            {
                json.Read();
                isAlert = !json.ValueTextEquals("approve"u8);
            }
            else if (json.ValueTextEquals("degraded"u8))
            {
                json.Read();
                isDegraded = json.GetBoolean();
            }
            else if (json.ValueTextEquals("scored_at"u8))
            {
                json.Read();
                scoredAt = json.GetDateTimeOffset();
            }
            else
            {
                json.Skip();
            }
        }

        return new DemoAnswer(sequence, isAlert, isDegraded, scoredAt);
    }
}
