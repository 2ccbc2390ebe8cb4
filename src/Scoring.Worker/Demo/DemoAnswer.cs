using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Scoring.Worker.Demo;

/// <summary>What the demo reads of a score.</summary>
/// <param name="Sequence">Sequence of the simulated payment; -1 when it is none.</param>
/// <param name="Model">The first 16 hexadecimal digits of the digest of the package that made the score; 0 when no model did.</param>
/// <param name="Probability">Of fraud, 0 to 1; NaN when no model scored.</param>
/// <param name="ReviewFrom">Probability from which on the model asks for a review or more; NaN when there is none.</param>
/// <param name="HasRule">Whether a rule hit that decides something.</param>
/// <param name="IsAlert">Whether the decision is to review or to decline.</param>
/// <param name="IsDegraded">Whether something was missing that a healthy service has.</param>
/// <param name="ScoredAt">When the score was made.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct DemoAnswer(
    long Sequence, ulong Model, double Probability, double ReviewFrom, bool HasRule, bool IsAlert, bool IsDegraded, DateTimeOffset ScoredAt)
{
    private const int ModelDigits = 16;

    /// <summary>Reads the members it needs and skips the others.</summary>
    public static DemoAnswer Read(ReadOnlySpan<byte> score)
    {
        var answer = new DemoAnswer(-1, 0, double.NaN, double.NaN, HasRule: false, IsAlert: false, IsDegraded: false, default);
        var json = new Utf8JsonReader(score);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("transaction_id"u8))
            {
                json.Read();
                answer = answer with { Sequence = TrafficJsonWriter.SequenceOf(json.GetString()) };
            }
            else if (json.ValueTextEquals("score"u8))
            {
                json.Read();
                answer = answer with { Probability = json.TokenType == JsonTokenType.Number ? json.GetDouble() : double.NaN };
            }
            else if (json.ValueTextEquals("decision"u8))
            {
                json.Read();
                answer = answer with { IsAlert = !json.ValueTextEquals("approve"u8) };
            }
            else if (json.ValueTextEquals("thresholds"u8))
            {
                answer = answer with { ReviewFrom = Lowest(ref json) };
            }
            else if (json.ValueTextEquals("model"u8))
            {
                answer = answer with { Model = Digest(ref json) };
            }
            else if (json.ValueTextEquals("rules"u8))
            {
                json.Read();
                answer = answer with { HasRule = json.Read() && json.TokenType == JsonTokenType.String };
                while (json.TokenType != JsonTokenType.EndArray)
                {
                    json.Read();
                }
            }
            else if (json.ValueTextEquals("degraded"u8))
            {
                json.Read();
                answer = answer with { IsDegraded = json.GetBoolean() };
            }
            else if (json.ValueTextEquals("scored_at"u8))
            {
                json.Read();
                answer = answer with { ScoredAt = json.GetDateTimeOffset() };
            }
            else
            {
                json.Skip();
            }
        }

        return answer;
    }

    /// <summary>What <see cref="Model"/> is for a package.</summary>
    /// <param name="sha256">Digest of the package, at least 16 hexadecimal digits.</param>
    public static ulong ModelOf(ReadOnlySpan<char> sha256) => ulong.Parse(sha256[..ModelDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    // From review on somebody looks; where decline is the lower of the two, from there.
    private static double Lowest(ref Utf8JsonReader json)
    {
        double lowest = double.NaN;
        json.Read();
        while (json.TokenType == JsonTokenType.StartObject || json.TokenType == JsonTokenType.PropertyName || json.TokenType == JsonTokenType.Number)
        {
            if (json.TokenType == JsonTokenType.Number && !(json.GetDouble() >= lowest))
            {
                lowest = json.GetDouble();
            }

            json.Read();
        }

        return lowest;
    }

    private static ulong Digest(ref Utf8JsonReader json)
    {
        ulong digest = 0;
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return digest;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isDigest = json.ValueTextEquals("sha256"u8);
            json.Read();
            digest = isDigest ? ModelOf(json.GetString()) : digest;
        }

        return digest;
    }
}
