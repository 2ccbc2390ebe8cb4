using System.Runtime.InteropServices;
using System.Text.Json;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;

namespace Scoring.EndToEnd.Tests.Learning;

/// <summary>What stands on the scores topic, read as it grows.</summary>
internal sealed class ScoreLog(string bootstrapServers, TestTopics topics) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly TopicReader reader = new(bootstrapServers, topics["scores"], topics.PartitionCount);
    private readonly Dictionary<string, string> packages = new(StringComparer.Ordinal); // One string for each digest, not for each score.
    private readonly Dictionary<string, TopicScore> scores = new(StringComparer.Ordinal);

    /// <summary>A score and the digest of the package that made it.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct TopicScore(double Probability, string PackageSha256);

    /// <summary>The first score of each transaction.</summary>
    public IReadOnlyDictionary<string, TopicScore> Scores => scores;

    /// <summary>Further scores of transactions that had one.</summary>
    public List<(string Id, TopicScore Score)> Repeated { get; } = [];

    /// <summary>Scores marked degraded: made without the model, or without what other partitions knew.</summary>
    public int Marked { get; private set; }

    /// <summary>Reads on until so many transactions have a score.</summary>
    /// <param name="count">How many.</param>
    /// <param name="worker">Gives up when it ends.</param>
    public void Until(int count, OwnProgram worker)
    {
        reader.Take(int.MaxValue, Patience, record => Take(record.Message.Value), () => scores.Count < count && !worker.HasEnded);
        Assert.True(scores.Count >= count, $"{scores.Count} of {count} transactions have a score; the worker {(worker.HasEnded ? "ended" : "runs")} and said:\n{worker.Printed}");
    }

    /// <summary>Reads on until nothing has come for a moment: for what may stand there beyond the expected.</summary>
    public void ToEnd() => reader.Take(int.MaxValue, TimeSpan.FromSeconds(2), record => Take(record.Message.Value));

    public void Dispose() => reader.Dispose();

    private void Take(byte[] value)
    {
        using var json = JsonDocument.Parse(value);
        var root = json.RootElement;
        string id = root.GetProperty("transaction_id").GetString()!;
        string sha = root.GetProperty("model").GetProperty("sha256").GetString()!;
        if (!packages.TryAdd(sha, sha))
        {
            sha = packages[sha];
        }

        Marked += root.GetProperty("degraded").GetBoolean() ? 1 : 0;
        var score = new TopicScore(root.GetProperty("score").GetDouble(), sha);
        if (!scores.TryAdd(id, score))
        {
            Repeated.Add((id, score));
        }
    }
}
