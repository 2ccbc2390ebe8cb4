namespace Scoring.Models.Events.Scores;

/// <summary>Text of the members that depend on the clock, and of the closing brace. All answers of a batch have the same, but those to repeats, so the last one is kept.</summary>
internal sealed class ClockMembers
{
    private readonly JsonBytes json = new();
    private (long ScoredAtMs, long ProcessingBits) written;

    /// <summary>The text for a time.</summary>
    /// <param name="scoredAtMs">When the answer was given, ms since 1970 UTC.</param>
    /// <param name="processingMs">How long that took, ms; written with three decimals.</param>
    /// <returns>The JSON, good until the next call.</returns>
    public ReadOnlySpan<byte> For(long scoredAtMs, double processingMs)
    {
        var wanted = (scoredAtMs, BitConverter.DoubleToInt64Bits(processingMs));
        if (json.Written.IsEmpty || written != wanted)
        {
            json.Clear();
            json.Raw(",\"scored_at\":"u8);
            json.Time(scoredAtMs);
            json.Raw(",\"processing_ms\":"u8);
            json.Number(Math.Round(processingMs, 3));
            json.Raw("}"u8);
            written = wanted;
        }

        return json.Written;
    }
}
