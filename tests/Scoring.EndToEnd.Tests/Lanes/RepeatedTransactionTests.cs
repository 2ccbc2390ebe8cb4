using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Models;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Events;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A payment system that got no answer sends its transaction again.</summary>
public sealed class RepeatedTransactionTests(KafkaBroker broker, TestModel model)
{
    private const int FirstCount = 2_000;

    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token).Token;

    [Fact]
    public async Task Repeats_get_the_answer_of_their_first_ones_conflicts_a_dead_letter_and_neither_counts()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 4);
        string history = service.WriteHistory(FirstCount, seed: 21);
        var alone = await service.ScoreFileAsync(history);
        var (file, repeats, conflicts) = Repeating(service, history);
        RememberRepeats(service);
        string offline = service.Write("offline.jsonl", []);
        await service.VerbAsync(["score", file, .. service.ModelArguments, "--out", offline]);
        Assert.Equal(FirstCount + repeats, File.ReadLines(offline).Count());
        Assert.Equal(repeats, File.ReadLines(offline).Count(line => line.Contains("\"duplicate_of\":{", StringComparison.Ordinal)));
        await service.VerbAsync("replay", file);
        await using var worker = new WorkerRun(service, "repeats");
        var scores = service.Read("scores", records => records.Count == FirstCount + repeats, Bound);
        var letters = service.Read("dlq", records => records.Count == conflicts, Bound);
        var page = await worker.MetricsAsync(page => page["fraudscoring_duplicates_total"] >= repeats, Bound);
        Assert.Equal(ExitCode.Ok, await worker.StopAsync());

        Assert.Equal(repeats, page["fraudscoring_duplicates_total"]);
        Assert.Equal(FirstCount, page["fraudscoring_events_scored_total{decision=\"approve\"}"] + page["fraudscoring_events_scored_total{decision=\"review\"}"] + page["fraudscoring_events_scored_total{decision=\"decline\"}"]);
        AssertAnswers(service, scores, repeats);
        Assert.All(letters, letter => Assert.Equal((RefusalTexts.Wire(RefusalCode.DuplicateConflict), "transaction_id"), (Header(letter, DeadLetterHeaders.Code), Header(letter, DeadLetterHeaders.Field))));
        Assert.All(letters, letter => Assert.EndsWith("7}", Encoding.UTF8.GetString(letter.Message.Value), StringComparison.Ordinal)); // The bytes as they came.

        // Whatever came again: the first ones are answered as if it had not. The accounts' own features see their partition only.
        foreach (var first in scores.Select(Json).Where(score => score["duplicate_of"] is null))
        {
            var wanted = alone[(string)first["transaction_id"]!];
            foreach (string feature in new[] { "account_count_1d", "account_mean_7d", "account_gap" })
            {
                Assert.Equal(wanted["features"]![feature]?.ToJsonString(), first["features"]![feature]?.ToJsonString());
            }
        }
    }

    [Fact]
    public async Task After_a_crash_and_under_another_model_a_repeat_still_gets_the_first_ones_answer()
    {
        broker.SkipUnlessReal("it does not keep offsets that are committed in a transaction");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 4);
        var (file, repeats, conflicts) = Repeating(service, service.WriteHistory(FirstCount, seed: 22));
        RememberRepeats(service);
        using var series = new PackageSeries(model);
        string next = Path.Combine(Path.GetDirectoryName(service.DefinitionPath)!, "next.fsmodel");
        await File.WriteAllBytesAsync(next, series.Package(2), TestContext.Current.CancellationToken);
        await service.VerbAsync("replay", file);
        await using (var victim = Start(service, service.Serving.Package!))
        {
            service.Read("scores", records => records.Count >= FirstCount / 3, Bound);
            await victim.KillAsync();
        }

        await using var successor = Start(service, next);
        var scores = service.Read("scores", records => records.Count == FirstCount + repeats, Bound);
        service.Read("dlq", records => records.Count == conflicts, Bound);
        Assert.Equal(ExitCode.Ok, await successor.TerminateAsync());

        AssertAnswers(service, scores, repeats);
        var byFirst = scores.Select(Json).ToLookup(score => (string)score["transaction_id"]!, StringComparer.Ordinal);
        Assert.Equal(2, scores.Select(record => (string)Json(record)["model"]!["sha256"]!).Distinct(StringComparer.Ordinal).Count());
        Assert.Contains(scores, record => Json(record) is var score && score["duplicate_of"] is not null && !string.Equals((string)score["model"]!["version"]!, "v2", StringComparison.Ordinal));
        Assert.All(byFirst, same => Assert.Single(same, score => score["duplicate_of"] is null));
    }

    private static void AssertAnswers(TestService service, List<ConsumeResult<byte[], byte[]>> scores, int repeats)
    {
        Assert.Equal(FirstCount + repeats, service.Count("scores"));
        var firsts = scores.Where(record => Json(record)["duplicate_of"] is null).ToDictionary(record => (string)Json(record)["transaction_id"]!, StringComparer.Ordinal);
        Assert.Equal(FirstCount, firsts.Count);
        foreach (var record in scores)
        {
            var score = Json(record);
            if (score["duplicate_of"] is not { } place)
            {
                continue;
            }

            var firstRecord = firsts[(string)score["transaction_id"]!];
            var first = Json(firstRecord);
            Assert.Equal((firstRecord.Partition.Value, (long)first["source"]!["offset"]!), (record.Partition.Value, (long)place["offset"]!));
            Assert.True((long)score["source"]!["offset"]! > (long)place["offset"]!);
            Assert.Equal(Header(firstRecord, "ce_id"), Header(record, "ce_id"));
            Assert.Equal(Answer(first), Answer(score));
        }

        long due = firsts.Values.Count(record => !string.Equals((string)Json(record)["decision"]!, "approve", StringComparison.Ordinal));
        Assert.InRange(due, 20, FirstCount);
        Assert.Equal(due, service.Count("alerts")); // None for a repeat.
    }

    /// <summary>A history in which one line in ten comes again, some lines later, and one in fifty comes with another amount.</summary>
    private static (string File, int Repeats, int Conflicts) Repeating(TestService service, string history)
    {
        var random = new Random(3);
        var lines = new List<string>();
        var due = new PriorityQueue<string, int>();
        var (repeats, conflicts) = (0, 0);
        foreach (string line in File.ReadAllLines(history))
        {
            string payment = line[..line.IndexOf(",\"is_fraud\"", StringComparison.Ordinal)] + "}";
            while (due.TryPeek(out _, out int at) && at <= lines.Count)
            {
                lines.Add(due.Dequeue());
            }

            lines.Add(payment);
            if (random.Next(10) == 0)
            {
                due.Enqueue(random.Next(3) == 0 ? payment.Replace("\"currency\":\"EUR\",", "", StringComparison.Ordinal).Replace("{", "{ \"currency\": \"EUR\",", StringComparison.Ordinal) : payment, lines.Count + random.Next(20));
                repeats++;
            }

            if (random.Next(50) == 0)
            {
                due.Enqueue(payment[..^1] + ",\"latitude\":7}", lines.Count + random.Next(20));
                conflicts++;
            }
        }

        while (due.Count > 0)
        {
            lines.Add(due.Dequeue());
        }

        return (service.Write("repeating.jsonl", lines), repeats, conflicts);
    }

    private static void RememberRepeats(TestService service)
    {
        var definition = JsonNode.Parse(File.ReadAllText(service.DefinitionPath))!;
        definition["duplicates"] = new JsonObject { ["window"] = "2d", ["transactions_max"] = 1_000 };
        File.WriteAllText(service.DefinitionPath, definition.ToJsonString());
    }

    private OwnProgram Start(TestService service, string package) => OwnProgram.StartWorker(
        ["run", "--definition", service.DefinitionPath, "--bootstrap-servers", broker.BootstrapServers, "--group", "again", "--package", package, "--verification-key", service.Serving.VerificationKeys[0],
        "--emit", "features", "--http", "127.0.0.1:0", "--lanes", "2", .. broker.DeliveryArguments]);

    private static JsonObject Json(ConsumeResult<byte[], byte[]> record) => JsonNode.Parse(record.Message.Value)!.AsObject();

    private static string Header(ConsumeResult<byte[], byte[]> record, string name) => Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));

    private static string Answer(JsonObject score)
    {
        var answer = score.DeepClone().AsObject();
        foreach (string member in new[] { "source", "processing_ms", "features", "duplicate_of" })
        {
            answer.Remove(member);
        }

        return answer.ToJsonString();
    }
}
