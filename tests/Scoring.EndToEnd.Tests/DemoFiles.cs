using System.Text.Json;

namespace Scoring.EndToEnd.Tests;

/// <summary>What a demo that is kept leaves: payments as they were sent, scores as they were read from the topic, the truth, the trainer's decisions.</summary>
internal sealed class DemoFiles
{
    private readonly string folder;
    private readonly Dictionary<string, string> patterns;

    public DemoFiles(string folder)
    {
        this.folder = folder;
        string[][] truth = [.. File.ReadLines(Path.Combine(folder, "truth.csv")).Skip(1).Select(line => line.Split(','))];
        Live = [.. truth.Select(row => row[0])];
        patterns = truth.ToDictionary(row => row[0], row => row[1], StringComparer.Ordinal);
        Scores = [.. File.ReadLines(Path.Combine(folder, "scores.jsonl")).Select(Score.Read)];
        Decisions = [.. Directory.EnumerateFiles(Path.Combine(folder, "trainer", "decisions")).Order(StringComparer.Ordinal).Select(Decision.Read)];
    }

    /// <summary>Ids of the live payments, in the order in which they were sent.</summary>
    public IReadOnlyList<string> Live { get; }

    public IReadOnlyList<Score> Scores { get; }

    /// <summary>The oldest first.</summary>
    public IReadOnlyList<Decision> Decisions { get; }

    /// <summary>Ids of the last payments in the file of everything sent.</summary>
    public IEnumerable<string> SentLast(int count) => Sent("transaction_id", member => member.GetString()!).TakeLast(count);

    /// <summary>How many payments were sent, of the history too, that happened before a time.</summary>
    public int SentBefore(DateTimeOffset time) => Sent("event_time", member => member.GetDateTimeOffset()).Count(eventTime => eventTime < time);

    public bool IsFraud(string transactionId) => patterns[transactionId] is not "None";

    public bool IsNewFraud(string transactionId) => patterns[transactionId] is "StoredCardAbuse";

    private IEnumerable<T> Sent<T>(string member, Func<JsonElement, T> read) => File.ReadLines(Path.Combine(folder, "transactions.jsonl")).Select(line =>
    {
        using var payment = JsonDocument.Parse(line);
        return read(payment.RootElement.GetProperty(member));
    });

    internal sealed record Score(string TransactionId, DateTimeOffset EventTime, string Model, bool IsAlert, int Partition, long Offset)
    {
        public static Score Read(string line)
        {
            using var json = JsonDocument.Parse(line);
            var score = json.RootElement;
            var source = score.GetProperty("source");
            return new(
                score.GetProperty("transaction_id").GetString()!,
                score.GetProperty("event_time").GetDateTimeOffset(),
                score.GetProperty("model").GetProperty("sha256").GetString()!,
                score.GetProperty("decision").GetString() is not "approve",
                source.GetProperty("partition").GetInt32(),
                source.GetProperty("offset").GetInt64());
        }
    }

    internal sealed record Decision(DateTimeOffset At, string Outcome, string? Challenger, int? HistoryRows)
    {
        public static Decision Read(string path)
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var decision = json.RootElement;
            return new(
                decision.GetProperty("at").GetDateTimeOffset(),
                decision.GetProperty("outcome").GetString()!,
                decision.TryGetProperty("challenger_sha256", out var digest) ? digest.GetString() : null,
                decision.GetProperty("figures").TryGetProperty("history_rows", out var rows) ? rows.GetInt32() : null);
        }
    }
}
