using System.Globalization;
using System.Text;
using System.Text.Json;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Tests;

namespace Scoring.EndToEnd.Tests.Handbook;

/// <summary>The main job on recorded data: import, train, replay through Kafka into a running worker, judge what stands on the topic.</summary>
/// <remarks>
/// Days 78 to 135 of the recorded data set by default: the published features of days 115 to 135 need no earlier ones.
/// <c>FRAUDSCORING_HANDBOOK=whole</c> takes all 183 days.
/// </remarks>
public sealed class HandbookStreamTests(KafkaBroker broker, ITestOutputHelper output)
{
    private const int PartitionCount = 4;
    private const double ScoreTolerance = 1e-6;
    private const double FeatureTolerance = 1e-9;

    // Published in swapped order: one customer, one second (the data set's own fault).
    private static readonly int[] SwappedRows = [1_240_489, 1_240_490];

    [Fact]
    public async Task Recorded_days_through_kafka_give_the_offline_scores_and_the_published_features()
    {
        broker.SkipUnlessReal("it drops messages past 5 MB per partition");
        string transactions = RepositoryFiles.Shared("data/handbook/transactions.csv.gz");
        string published = RepositoryFiles.Shared("data/handbook/features.csv.gz");
        using var folder = new TestFolder();
        bool whole = string.Equals(Environment.GetEnvironmentVariable("FRAUDSCORING_HANDBOOK"), "whole", StringComparison.Ordinal);
        string recorded = folder.File("recorded.csv.gz");
        int rowCount = HandbookFile.Copy(transactions, recorded, whole ? 0 : 78, whole ? 182 : 135, isTaken: _ => true).Count;
        var topics = await broker.CreateTopicsAsync("handbook", PartitionCount, DefinitionFiles.TopicNames);
        string definition = DefinitionFiles.Write(folder, "handbook.json", topics);

        // 1. Our own trainer, on the protocol's training week.
        string history = folder.File("history"), package = folder.File("handbook.fsmodel"), offline = folder.File("offline.csv");
        string key = folder.File("key");
        await OwnProgram.TrainerAsync("models", "keygen", "--output", key);
        await OwnProgram.TrainerAsync("import", "--definition", definition, "--input", recorded, "--output", history);
        await OwnProgram.TrainerAsync("train", "--definition", definition, "--history", history, "--from", "2018-07-25", "--to", "2018-08-01", "--output", package, "--key", key + ".key.pem");
        await OwnProgram.TrainerAsync("score", "--definition", definition, "--history", history, "--package", package, "--public-key", key + ".pub.pem", "--from", "2018-01-01", "--to", "2019-01-01", "--output", offline);

        // 2. The later days through Kafka into a running worker.
        await using var worker = OwnProgram.StartWorker(
            "run", "--bootstrap-servers", broker.BootstrapServers, "--definition", definition, "--package", package, "--verification-key", key + ".pub.pem",
            "--lanes", "2", "--emit", "features", "--http", "127.0.0.1:0");
        await OwnProgram.WorkerAsync("replay", "--bootstrap-servers", broker.BootstrapServers, "--definition", definition, recorded);
        var online = ReadScores(topics, rowCount, worker);

        // 3. What stands on the topic.
        Assert.True(online.Count == rowCount, $"{rowCount} transactions in, {online.Count} scores out; the worker said:\n{worker.Printed}");
        double worst = CompareScores(offline, online);
        var (compared, difference) = CompareFeatures(published, online);
        string topicScores = folder.File("topic.csv");
        await File.WriteAllLinesAsync(topicScores, online.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key},{pair.Value.Probability:R}")).Prepend("transaction_id,score"), TestContext.Current.CancellationToken);
        string table = await OwnProgram.TrainerAsync("evaluate", "--definition", definition, "--history", history, "--package", package, "--public-key", key + ".pub.pem", "--protocol", "handbook", "--scores", topicScores);
        Assert.Equal(0, await worker.TerminateAsync());
        output.WriteLine(table);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rowCount} transactions in, {online.Count} scores out; largest difference to the offline score {worst:0.0e0}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{compared} published feature vectors, largest difference {difference:0.0e0}"));
        Assert.True(worst <= ScoreTolerance);
        Assert.True(difference <= FeatureTolerance);
    }

    private Dictionary<int, OnlineScore> ReadScores(TestTopics topics, int rowCount, OwnProgram worker)
    {
        var online = new Dictionary<int, OnlineScore>(rowCount);
        using var reader = new TopicReader(broker.BootstrapServers, topics["scores"], PartitionCount);
        reader.Take(rowCount, TimeSpan.FromSeconds(60), record =>
        {
            using var score = JsonDocument.Parse(record.Message.Value);
            int id = int.Parse(score.RootElement.GetProperty("transaction_id").GetString()!, CultureInfo.InvariantCulture);
            Assert.Equal(score.RootElement.GetProperty("account_id").GetString(), Encoding.UTF8.GetString(record.Message.Key));
            Assert.False(score.RootElement.GetProperty("degraded").GetBoolean(), $"transaction {id} is marked degraded");
            var features = score.RootElement.GetProperty("features");
            Assert.True(online.TryAdd(id, new(score.RootElement.GetProperty("score").GetDouble(), [.. features.EnumerateObject().Select(feature => feature.Value.GetDouble())])), $"transaction {id} is scored twice");
        }, () => !worker.HasEnded);
        return online;
    }

    private static double CompareScores(string offline, Dictionary<int, OnlineScore> online)
    {
        double worst = 0;
        int count = 0;
        foreach (string line in File.ReadLines(offline).Skip(1))
        {
            int comma = line.IndexOf(',', StringComparison.Ordinal);
            double expected = double.Parse(line.AsSpan(comma + 1), CultureInfo.InvariantCulture);
            worst = Math.Max(worst, Math.Abs(expected - online[int.Parse(line.AsSpan(0, comma), CultureInfo.InvariantCulture)].Probability));
            count++;
        }

        Assert.Equal(online.Count, count);
        return worst;
    }

    private static (int Rows, double Difference) CompareFeatures(string published, Dictionary<int, OnlineScore> online)
    {
        double worst = 0;
        int count = 0;
        foreach (string line in HandbookFile.Lines(published).Skip(1))
        {
            string[] cells = line.Split(',');
            int id = int.Parse(cells[0], CultureInfo.InvariantCulture);
            if (Array.IndexOf(SwappedRows, id) >= 0)
            {
                continue;
            }

            var ours = online[id].Features;
            Assert.Equal(cells.Length - 1, ours.Length);
            for (int i = 0; i < ours.Length; i++)
            {
                worst = Math.Max(worst, Math.Abs(ours[i] - double.Parse(cells[i + 1], CultureInfo.InvariantCulture)));
            }

            count++;
        }

        return (count, worst);
    }

    private sealed record OnlineScore(double Probability, double[] Features);
}
