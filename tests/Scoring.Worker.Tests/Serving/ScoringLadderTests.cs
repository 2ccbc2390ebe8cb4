using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;
using Scoring.Worker.Serving;

namespace Scoring.Worker.Tests.Serving;

/// <summary>The steps of the ladder as a reader of scores and a reader of metrics see them: every event scored, every step marked and counted.</summary>
public sealed class ScoringLadderTests : IDisposable
{
    private const int NetworkTimeoutMs = 250;
    private const int Low = 50;
    private const int Good = 150;
    private const int NoNumber = 250;
    private const int Failing = 700;

    private static readonly TimeSpan Break = TimeSpan.FromSeconds(6);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("fraudscoring-");
    private readonly StepClock clock = new();
    private readonly WorkerMetrics metrics = new(Metrics.NewCustomRegistry());
    private int fileCount;

    [Fact]
    public void A_network_that_fails_once_leaves_one_batch_to_the_trees()
    {
        using var scorer = Scorer();

        var scores = Score(scorer, Good, Failing, Good);

        Assert.Equal([null, "trees_only", null], scores.Select(Reason));
        Assert.Equal(MoodyNetwork.Joint(0.8), (double)scores[0]["score"]!, 1e-6);
        Assert.Equal(MoodyNetwork.TreesProbability, (double)scores[1]["score"]!, 1e-6);
        Assert.Null(scores[1]["component_scores"]!["network"]);
        Assert.Equal(1, metrics.Fallback.WithLabels("network_failed").Value);
        Assert.Equal(0, metrics.CircuitOpen.Value);
    }

    [Fact]
    public void Three_failures_in_a_row_leave_the_network_out_until_it_works_again()
    {
        using var scorer = Scorer();

        Assert.All(Score(scorer, Failing, Failing, Failing), score => Assert.Equal("trees_only", Reason(score)));
        Assert.Equal(1, metrics.CircuitOpen.Value);
        Assert.Equal("trees_only", Reason(Assert.Single(Score(scorer, Good)))); // It would answer, and is not asked.

        clock.Advance(Break);
        Assert.Equal("trees_only", Reason(Assert.Single(Score(scorer, Failing)))); // Tried once, failed: out for another while.
        Assert.Equal("trees_only", Reason(Assert.Single(Score(scorer, Good))));

        clock.Advance(Break);
        Assert.Equal([null, null], Score(scorer, Good, Good).Select(Reason));
        Assert.Equal(0, metrics.CircuitOpen.Value);
        Assert.Equal(6, metrics.Fallback.WithLabels("network_failed").Value);
    }

    [Fact]
    public void A_network_that_is_late_three_times_is_left_out_and_its_late_answers_are_used()
    {
        using var scorer = Scorer();
        clock.Step = TimeSpan.FromMilliseconds(NetworkTimeoutMs + 1);

        Assert.All(Score(scorer, Good, Good, Good), score => Assert.Null(Reason(score)));
        Assert.Equal(3, metrics.NetworkLate.Value);
        Assert.Equal(1, metrics.CircuitOpen.Value);

        clock.Step = TimeSpan.Zero;
        Assert.Equal("trees_only", Reason(Assert.Single(Score(scorer, Good))));
        clock.Advance(Break);
        Assert.Null(Reason(Assert.Single(Score(scorer, Good))));
        Assert.Equal(3, metrics.NetworkLate.Value);
        Assert.Equal(1, metrics.Fallback.WithLabels("network_failed").Value);
    }

    [Fact]
    public void A_row_for_which_the_network_gives_no_number_is_scored_by_the_trees_and_its_neighbours_are_not()
    {
        using var scorer = Scorer(rowsMax: 16);

        var scores = Score(scorer, Good, NoNumber, Low, NoNumber, Good);

        Assert.Equal([null, "trees_only", null, "trees_only", null], scores.Select(Reason));
        double[] expected = [MoodyNetwork.Joint(0.8), MoodyNetwork.TreesProbability, MoodyNetwork.Joint(0.2), MoodyNetwork.TreesProbability, MoodyNetwork.Joint(0.8)];
        Assert.All(scores.Zip(expected), pair => Assert.Equal(pair.Second, (double)pair.First["score"]!, 1e-6));
        Assert.Equal(2, metrics.Fallback.WithLabels("network_no_number").Value);
        Assert.Equal(0, metrics.Fallback.WithLabels("network_failed").Value);
        Assert.Equal(0, metrics.CircuitOpen.Value);
    }

    [Fact]
    public void What_made_a_batch_fail_does_not_make_the_next_one_fail()
    {
        using var scorer = Scorer(rowsMax: 16);

        // The row that fails stands behind the place of the next batch's only row, in the same bound buffer.
        Assert.All(Score(scorer, [.. Enumerable.Repeat(Good, 8), Failing]), score => Assert.Equal("trees_only", Reason(score)));
        Assert.Null(Reason(Assert.Single(Score(scorer, Good))));
        Assert.Equal(9, metrics.Fallback.WithLabels("network_failed").Value);
    }

    [Theory]
    [InlineData(Failing, "network_failed")]
    [InlineData(NoNumber, "network_no_number")]
    public void Without_trees_the_rules_answer(int amountMinor, string reason)
    {
        using var scorer = Scorer(withTrees: false);

        var scores = Score(scorer, Good, amountMinor, Good);

        Assert.Equal([null, "rules_only", null], scores.Select(Reason));
        Assert.Null(scores[1]["score"]);
        Assert.Null(scores[1]["model"]);
        Assert.Equal("approve", (string)scores[1]["decision"]!);
        Assert.Equal(1, metrics.Fallback.WithLabels(reason).Value);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static string? Reason(JsonNode score) => (string?)score["degraded_reason"];

    private FileScorer Scorer(int rowsMax = 1, bool withTrees = true)
    {
        var (definition, package, key) = MoodyNetwork.Write(folder.FullName, withTrees);
        var serving = new ServingOptions { Definition = definition, Package = package, VerificationKeys = [key], NetworkTimeoutMs = NetworkTimeoutMs };
        var service = new Service(ModelLoader.ReadDefinition(definition), new ModelSlot());
        ModelLoader.Load(serving, service, clock, metrics, NullLogger.Instance);
        var settings = new WorkerSettings
        {
            Kafka = new KafkaOptions(),
            Lanes = new LaneOptions { RowsMax = rowsMax },
            Operations = new OperationsOptions(),
            Serving = serving,
            Aggregates = new AggregatesOptions(),
        };
        return new FileScorer(service, settings, clock, metrics, NullLogger.Instance);
    }

    /// <summary>Scores one event per amount; in batches of as many rows as the scorer takes.</summary>
    private List<JsonNode> Score(FileScorer scorer, params int[] amountsMinor)
    {
        string path = Path.Combine(folder.FullName, string.Create(CultureInfo.InvariantCulture, $"{fileCount++}.jsonl"));
        File.WriteAllLines(path, amountsMinor.Select((amountMinor, i) =>
            $$"""{"transaction_id":"t-{{fileCount}}-{{i}}","event_time":"2025-02-28T00:00:00Z","amount_minor":{{amountMinor}},"currency":"EUR","account_id":"a-1","merchant_id":"m-1"}"""));
        using var output = new MemoryStream();
        using var refused = new StringWriter(CultureInfo.InvariantCulture);
        Assert.Equal(ExitCode.Ok, scorer.Run(path, output, refused));
        Assert.Equal("", refused.ToString());
        string[] lines = System.Text.Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(amountsMinor.Length, lines.Length);
        return [.. lines.Select(line => JsonNode.Parse(line)!)];
    }
}
