namespace Scoring.Trainer.Commands;

/// <summary>Text as a CSV cell, RFC 4180.</summary>
internal static class CsvText
{
    public static string Quote(string text) =>
        text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
