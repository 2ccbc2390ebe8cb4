using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Verification;

/// <summary>The verifier beside a worker that works, and after one that was killed.</summary>
public sealed class VerifyLiveTests(KafkaBroker broker, ITestOutputHelper output)
{
    private const int PartitionCount = 4;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    [Theory]
    [InlineData("exactly_once")]
    [InlineData("at_least_once", "--allow-duplicates")]
    public async Task A_worker_killed_among_live_payments_verifies_silently_when_its_successor_is_done(string delivery, params string[] allowed)
    {
        broker.SkipUnlessReal("a successor waits for a group session to end");
        using var folder = new TestFolder();
        var topics = await broker.CreateTopicsAsync("live", PartitionCount, DefinitionFiles.TopicNames);
        string definition = DefinitionFiles.Write(folder, "card-payments.json", topics);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var traffic = SendAsync(topics, stop.Token);
        await using (var victim = Start())
        {
            await AnsweredAsync(1_000);
            var working = await VerifyAsync();
            Assert.Equal(0, (int)working["exit_code"]!);
            await victim.KillAsync();
        }

        await using var successor = Start();
        await AnsweredAsync(3_000);
        await stop.CancelAsync();
        int sent = await traffic;
        await AnsweredAsync(sent);
        Assert.Equal(0, await successor.TerminateAsync());
        var report = await VerifyAsync();
        output.WriteLine(report.ToJsonString());
        Assert.Equal(0, (int)report["exit_code"]!);
        Assert.Equal((sent, 0), ((int)report["in"]!, (int)report["lag"]!));

        OwnProgram Start() => OwnProgram.StartWorker(
            "run", "--bootstrap-servers", broker.BootstrapServers, "--definition", definition, "--without-model", "--emit", "features", "--lanes", "2", "--group", topics.Prefix, "--http", "127.0.0.1:0", "--set", $"Kafka:Delivery={delivery}");

        async Task AnsweredAsync(int count)
        {
            JsonNode seen;
            do
            {
                await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
                seen = await VerifyAsync();
                Assert.True((int)seen["exit_code"]! == 0, seen.ToJsonString());
            }
            while ((int)seen["scored"]! < count);
        }

        async Task<JsonNode> VerifyAsync()
        {
            using var printed = new StringWriter(CultureInfo.InvariantCulture);
            using var errors = new StringWriter(CultureInfo.InvariantCulture);
            int exitCode = await CommandLine.RunAsync(["verify", "--definition", definition, "--bootstrap-servers", broker.BootstrapServers, "--group", topics.Prefix, .. allowed, "--json"], printed, errors);
            Assert.True(exitCode is ExitCode.Ok or ExitCode.Data, $"{exitCode}: {errors}");
            var answer = JsonNode.Parse(printed.ToString())!;
            answer["exit_code"] = exitCode;
            return answer;
        }
    }

    /// <summary>Sends 200 payments a second until told to stop.</summary>
    /// <returns>How many.</returns>
    private async Task<int> SendAsync(TestTopics topics, CancellationToken stop)
    {
        var stream = new PaymentStream(16);
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = broker.BootstrapServers, EnableIdempotence = true, Partitioner = Partitioner.Murmur2Random }).Build();
        using var timer = new PeriodicTimer(Tick);
        int sent = 0;
        while (!stop.IsCancellationRequested)
        {
            for (int i = 0; i < 10; i++, sent++)
            {
                var (key, value) = stream.Payment(sent, TimeProvider.System.GetUtcNow());
                producer.Produce(topics["transactions"], new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(key), Value = Encoding.UTF8.GetBytes(value) });
            }

            try
            {
                await timer.WaitForNextTickAsync(stop);
            }
            catch (OperationCanceledException)
            {
                // Told to stop: what was sent is flushed.
            }
        }

        producer.Flush(CancellationToken.None);
        return sent;
    }
}
