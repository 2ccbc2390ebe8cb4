using System.Diagnostics;
using System.Globalization;
using Confluent.Kafka;
using Scoring.Models.Packaging;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Publishing;
using Scoring.Trainer.Watching;

namespace Scoring.Trainer.Tests.Watching;

/// <summary>The verb itself against a real broker: what it decides and publishes must be what the loop decides without one.</summary>
public sealed class WatchKafkaTests : IDisposable
{
    private const int PartitionCount = 3;
    private const int KillCount = 20;

    private readonly Workshop workshop = new();

    public void Dispose() => workshop.Dispose();

    [Fact]
    public async Task Killed_twenty_times_it_has_published_what_an_undisturbed_loop_publishes()
    {
        await using var broker = RealBroker.Require();
        string[] watch = await PrepareAsync(broker);
        using var key = PackageKey.ReadPrivate(await File.ReadAllTextAsync(workshop["me.key.pem"], TestContext.Current.CancellationToken));
        var undisturbed = new WatchedShop(workshop["undisturbed"], key);
        await undisturbed.RunAsync(WatchedShop.Settings);

        const int Seed = 31;
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {Seed}"));
        var random = new Random(Seed);
        for (int kill = 0; kill < KillCount; kill++)
        {
            using var trainer = Start(watch);
            try
            {
                await trainer.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMilliseconds(random.Next(500, 6_000)), TimeProvider.System, TestContext.Current.CancellationToken);
                Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"the trainer ended by itself before kill {kill}, exit code {trainer.ExitCode}"));
            }
            catch (TimeoutException)
            {
                trainer.Kill();
                await trainer.WaitForExitAsync(TestContext.Current.CancellationToken);
            }
        }

        await workshop.DoAsync([.. watch, "--once"]);

        var decisions = Directory.EnumerateFiles(Path.Combine(workshop["data"], "decisions")).Order(StringComparer.Ordinal).Select(File.ReadAllText);
        Assert.Equal(undisturbed.Decisions, decisions);
        var offers = ChannelReader.Read(broker.Access, Channel(watch), TimeProvider.System);
        Assert.Equal(undisturbed.Packages.Select(package => package.Sha256), offers.Select(offer => offer.Look([key]).Package!.Sha256));
    }

    [Fact]
    public async Task Of_two_trainers_one_decides_and_the_other_takes_over_when_it_leaves()
    {
        await using var broker = RealBroker.Require();
        var channel = new ModelChannel(await broker.CreateAsync("models", partitions: 1), "shop/champion");
        // The leases tell from their own threads: what follows must not run there.
        var firstHolds = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var secondHolds = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var second = await LeaseAfterAsync();

        await secondHolds.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.True(second.IsHeld);

        async Task<ChannelLease> LeaseAfterAsync()
        {
            using var first = new ChannelLease(broker.Access, channel, _ => firstHolds.TrySetResult());
            await firstHolds.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.True(first.IsHeld);
            var waiting = new ChannelLease(broker.Access, channel, line =>
            {
                if (line.Contains("decides", StringComparison.Ordinal))
                {
                    secondHolds.TrySetResult();
                }
            });
            Assert.False(waiting.IsHeld);
            return waiting;
        }
    }

    // Topics with all sixty days, a definition that names them, keys.
    private async Task<string[]> PrepareAsync(RealBroker broker)
    {
        string transactions = await broker.CreateAsync("transactions", PartitionCount);
        string labels = await broker.CreateAsync("labels", PartitionCount);
        string models = await broker.CreateAsync("models", partitions: 1);
        workshop.Write("watched.json", Workshop.Definition
            .Replace(", \"path\": \"fraud\", \"fraud_values\": [1]", "", StringComparison.Ordinal)
            .Replace("\"labels\":", $"\"topics\": {{ \"transactions\": \"{transactions}\", \"labels\": \"{labels}\", \"models\": \"{models}\" }}, \"labels\":", StringComparison.Ordinal));
        await workshop.DoAsync("models", "keygen", "-o", "@me");
        using var key = PackageKey.Create();
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = broker.Servers, EnableIdempotence = true }).Build();
        foreach (var (kind, record) in new WatchedShop(workshop["source"], key).Stream())
        {
            var place = new TopicPartition(kind == SourceKind.Transactions ? transactions : labels, record.Partition);
            producer.Produce(place, new Message<Null, byte[]> { Value = record.Value! });
        }

        producer.Flush(TestContext.Current.CancellationToken);
        return
        [
            "watch", "-d", "@watched.json", "--bootstrap-servers", broker.Servers, "--data", "@data", "--key", "@me.key.pem", "--verification-key", "@me.pub.pem", "--clock", "event",
            "--training-days", "8", "--judged-days", "5", "--frauds-min", "8", "--network", "off", "--trees", "20", "--leaves", "6", "--bins", "500", "--segment-rows", "700",
        ];
    }

    private ModelChannel Channel(string[] watch) => ModelChannel.Of(Commands.CommonOptions.ReadDefinition(workshop[watch[2][1..]]));

    private Process Start(string[] watch)
    {
        var start = new ProcessStartInfo(Path.ChangeExtension(typeof(Watcher).Assembly.Location, OperatingSystem.IsWindows() ? ".exe" : null)) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string arg in watch)
        {
            start.ArgumentList.Add(arg.StartsWith('@') ? workshop[arg[1..]] : arg);
        }

        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }
}
