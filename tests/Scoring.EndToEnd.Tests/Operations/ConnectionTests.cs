using System.Net;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>A payment system's scorer opens no connection that its operator did not ask for.</summary>
public sealed class ConnectionTests(KafkaBroker broker, TestModel model, ITestOutputHelper output)
{
    private const int EventCount = 300;

    // ONNX Runtime 1.31.1, where nobody silences it, asks a name server for Microsoft's address 9 s after it was loaded (measured).
    private static readonly TimeSpan Longer = TimeSpan.FromSeconds(15);

    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(180)).Token).Token;

    [Fact]
    public async Task A_worker_that_scores_with_a_network_turns_to_its_brokers_and_nobody_else()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "recorded by Linux's own means");
        output.WriteLine($"recorded: {ConnectionRecording.Way}");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        await service.VerbAsync("replay", service.WriteHistory(EventCount, seed: 31));
        using var http = new HttpDoor(HttpDoor.FreePort());
        await using var worker = ConnectionRecording.Start(
            "Scoring.Worker",
            ["run", "--definition", service.DefinitionPath, .. service.ModelArguments, "--bootstrap-servers", broker.BootstrapServers, .. broker.DeliveryArguments, "--lanes", "2", "--http", http.EndPoint.ToString()]);
        service.Read("scores", records => records.Count == EventCount, Bound);
        long scored = TimeProvider.System.GetTimestamp();
        await http.UntilAsync("/metrics", answer => answer.Status == HttpStatusCode.OK && TimeProvider.System.GetElapsedTime(scored) > Longer, Bound);
        Assert.Contains("libonnxruntime", await File.ReadAllTextAsync($"/proc/{worker.Program.Id}/maps", Bound), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, await worker.Program.TerminateAsync());

        var contacts = await worker.ContactsAsync(Bound);
        var asked = Brokers();
        Assert.All(contacts, contact => Assert.Contains(contact, asked));
        Assert.NotEmpty(contacts);
    }

    [Fact]
    public async Task A_trainer_turns_to_nobody()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "recorded by Linux's own means");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 1);
        using var folder = new TestFolder();
        string history = folder.File("history"), definition = service.DefinitionPath, key = folder.File("me");
        string[][] verbs =
        [
            ["models", "keygen", "--output", key],
            ["import", "--definition", definition, "--input", service.WriteHistory(3_000, seed: 32), "--output", history],
            ["train", "--definition", definition, "--history", history, "--from", "2025-03-02", "--to", "2025-03-06", "--calibrate-from", "2025-03-07", "--calibrate-to", "2025-03-11", "--trees", "10", "--keep-compromised", "--output", folder.File("own.fsmodel"), "--key", key + ".key.pem"],
            ["score", "--definition", definition, "--history", history, "--package", model.PackagePath, "--public-key", model.KeyPath, "--from", "2025-03-05", "--to", "2025-03-06", "--output", folder.File("scores.csv")],
        ];
        foreach (string[] verb in verbs)
        {
            await using var trainer = ConnectionRecording.Start("Scoring.Trainer", verb);
            Assert.True(await trainer.Program.EndAsync() == 0, trainer.Program.Printed);
            Assert.Empty(await trainer.ContactsAsync(Bound));
        }
    }

    [Fact]
    public async Task A_demo_stays_on_its_own_machine()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "recorded by Linux's own means");
        await using var demo = ConnectionRecording.Start("Scoring.Worker", ["demo", "--accounts", "1000", "--rate", "10000"]);
        Assert.True(await demo.Program.EndAsync() == 0, demo.Program.Printed);

        var contacts = await demo.ContactsAsync(Bound);
        Assert.All(contacts, contact => Assert.True(IPAddress.IsLoopback(contact.Address) && contact.Port > 1_024, $"the demo turned to {contact}"));
        Assert.NotEmpty(contacts);
    }

    /// <summary>Every address at which the brokers say they are.</summary>
    private HashSet<IPEndPoint> Brokers()
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        var named = broker.BootstrapServers.Split(',').Select(server => server.Split(':')).Select(parts => (Host: parts[0], Port: int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture)));
        var told = admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Select(one => (one.Host, one.Port));
        return [.. named.Concat(told).Distinct().SelectMany(one => Dns.GetHostAddresses(one.Host).Select(address => new IPEndPoint(address, one.Port)))];
    }
}
