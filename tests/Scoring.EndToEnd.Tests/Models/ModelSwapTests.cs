using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Ensembles;
using Scoring.Models.Features;
using Scoring.Trainer.Publishing;

namespace Scoring.EndToEnd.Tests.Models;

/// <summary>Ten packages in a row while events flow.</summary>
public sealed class ModelSwapTests(KafkaBroker broker, TestModel model, ITestOutputHelper output)
{
    private const int PackageCount = 10;
    private const int ScoresOfEach = 1_500;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task No_score_is_missing_or_twice_each_names_the_package_that_made_it_and_is_that_packages_own()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 4);
        using var series = new PackageSeries(model);
        var ensembles = new Dictionary<string, Ensemble>(StringComparer.Ordinal);
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        Add(await File.ReadAllBytesAsync(model.PackagePath, TestContext.Current.CancellationToken));
        var publisher = new ModelPublisher(
            new BrokerAccess(broker.BootstrapServers, new Dictionary<string, string>(StringComparer.Ordinal)), new ModelChannel(service.Topics["models"], "lanes/champion"), series.Keys, TimeProvider.System);
        await using var worker = new WorkerRun(service, "swap");
        await worker.ReadyAsync(TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var feed = new LiveFeed(service, perTick: 10, TimeSpan.FromMilliseconds(10), seed: 5);
        var feeding = feed.RunAsync(stop.Token);
        using var reader = new TopicReader(broker.BootstrapServers, service.Topics["scores"], service.Topics.PartitionCount);
        var scores = new List<(JsonObject Score, ConsumeResult<byte[], byte[]> Record)>();
        var newest = ensembles.Keys.Single();

        Read(PackageCount * ScoresOfEach); // The run without swaps.
        int before = scores.Count;
        for (int sequence = 2; sequence < 2 + PackageCount; sequence++)
        {
            byte[] package = series.Package(sequence);
            newest = Add(package).Sha256;
            var publication = await Task.Run(() => publisher.Publish(package, ensembles[newest].Package), TestContext.Current.CancellationToken);
            Assert.Equal(PublicationOutcome.Published, publication.Outcome);
            Read(ScoresOfEach, until: newest);
        }

        await stop.CancelAsync();
        await feeding;
        Read(feed.Sent - scores.Count);
        var page = await worker.MetricsAsync(page => true, TestContext.Current.CancellationToken);
        Assert.Equal(0, await worker.StopAsync());

        Assert.Equal(feed.Sent, service.Count("scores"));
        Assert.Equal(feed.Sent, scores.Select(score => (string)score.Score["transaction_id"]!).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(PackageCount, page["fraudscoring_model_offers_total{outcome=\"taken\"}"]);
        Assert.Equal(PackageCount + 1, page["fraudscoring_model_sequence"]);
        Assert.Equal(PackageCount + 1, scores.Select(score => ShaOf(score.Score)).Distinct(StringComparer.Ordinal).Count());
        foreach (var partition in scores.GroupBy(score => score.Record.Partition.Value))
        {
            var inOrder = partition.OrderBy(score => score.Record.Offset.Value).Select(score => places[ShaOf(score.Score)]).ToList();
            Assert.Equal(inOrder.Order(), inOrder);
        }

        foreach (var (score, _) in scores)
        {
            var ensemble = ensembles[ShaOf(score)];
            Assert.Equal(ensemble.Version, (string)score["model"]!["version"]!);
            Assert.Equal(OfflineScore(ensemble, score["features"]!.AsObject()), (double)score["score"]!, 1e-9);
        }

        output.WriteLine($"{feed.Sent} scores, {PackageCount} swaps, broker {broker.Kind}");
        Tell("without swaps", scores[..before]);
        Tell("with 10 swaps", scores[before..]);
        double handOvers = page["fraudscoring_model_handover_seconds_count"];
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a lane stood still to take a package: mean {1_000 * page["fraudscoring_model_handover_seconds_sum"] / handOvers:0.00} ms, {page["fraudscoring_model_handover_seconds_bucket{le=\"0.001\"}"]} of {handOvers} within 1 ms, {page["fraudscoring_model_handover_seconds_bucket{le=\"0.01\"}"]} within 10 ms"));
        foreach (var ensemble in ensembles.Values)
        {
            ensemble.Dispose();
        }

        Ensemble Add(byte[] package)
        {
            var ensemble = series.Load(package);
            places.Add(ensemble.Sha256, places.Count);
            ensembles.Add(ensemble.Sha256, ensemble);
            return ensemble;
        }

        // So many of one package, where one is named, after the first that names it.
        void Read(int count, string? until = null)
        {
            int found = 0;
            bool isMissing = found < count;
            reader.Take(
                int.MaxValue,
                Patience,
                record =>
                {
                    var score = JsonNode.Parse(record.Message.Value)!.AsObject();
                    scores.Add((score, record));
                    found += until is null || string.Equals(ShaOf(score), until, StringComparison.Ordinal) ? 1 : 0;
                    isMissing = found < count;
                },
                () => isMissing);
            Assert.False(isMissing, $"{found} of {count} scores came");
        }
    }

    private static string ShaOf(JsonObject score) => (string)score["model"]!["sha256"]!;

    private static double OfflineScore(Ensemble ensemble, JsonObject features)
    {
        var block = new FeatureBlock(ensemble.FeatureCount, 1);
        for (int i = 0; i < ensemble.FeatureCount; i++)
        {
            block.Set(0, i, (double?)features[ensemble.Package.Manifest.Features[i]] ?? double.NaN);
        }

        var scores = new EnsembleScores(1);
        ensemble.Score(block, 1, scores);
        return scores.Probability[0];
    }

    /// <summary>
    /// Latency from the event's time to its score; the pauses between one batch of scores and the next of a partition (scores of one millisecond are one
    /// batch), those apart that lie between the last score of one package and the first of the next.
    /// </summary>
    private void Tell(string run, List<(JsonObject Score, ConsumeResult<byte[], byte[]> Record)> scores)
    {
        var latencies = scores.Select(score => Latency(score.Score)).ToList();
        List<double> pauses = [], handOvers = [], firsts = [];
        foreach (var partition in scores.GroupBy(score => score.Record.Partition.Value))
        {
            var inOrder = partition.OrderBy(score => score.Record.Offset.Value).ToList();
            for (int i = 1; i < inOrder.Count; i++)
            {
                bool isHandOver = !string.Equals(ShaOf(inOrder[i].Score), ShaOf(inOrder[i - 1].Score), StringComparison.Ordinal);
                if (isHandOver)
                {
                    firsts.Add(Latency(inOrder[i].Score));
                }

                (isHandOver ? handOvers : pauses).Add(inOrder[i].Record.Message.Timestamp.UnixTimestampMs - inOrder[i - 1].Record.Message.Timestamp.UnixTimestampMs);
            }
        }

        output.WriteLine($"{run}: {scores.Count} scores; event to score {Shown(latencies)}, of the first of each package in a partition {Shown(firsts)}; pause between batches {Shown([.. pauses.Where(pause => pause > 0)])}; pause where the package changes {Shown(handOvers)}");

        static string Shown(List<double> values)
        {
            values.Sort();
            return values.Count == 0 ? "none" : string.Create(CultureInfo.InvariantCulture, $"p50 {At(values, .5):0} p99 {At(values, .99):0} max {values[^1]:0} ms of {values.Count}");
        }

        static double At(List<double> sorted, double share) => sorted[(int)(share * (sorted.Count - 1))];

        static double Latency(JsonObject score) => (Time(score, "scored_at") - Time(score, "event_time")).TotalMilliseconds;

        static DateTimeOffset Time(JsonObject score, string name) => DateTimeOffset.Parse((string)score[name]!, CultureInfo.InvariantCulture);
    }
}
