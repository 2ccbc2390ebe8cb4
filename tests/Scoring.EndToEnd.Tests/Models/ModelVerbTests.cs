using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Models;

/// <summary>What a person does: verify, publish, list, roll back, withdraw; and what running workers make of it.</summary>
public sealed class ModelVerbTests(KafkaBroker broker, TestModel model)
{
    private static CancellationToken Bound => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_package_is_published_once_taken_rolled_back_and_withdrawn()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var series = new PackageSeries(model);
        using var folder = new TestFolder();
        string second = folder.File("second.fsmodel"), stale = folder.File("stale.fsmodel"), broken = folder.File("broken.fsmodel");
        await File.WriteAllBytesAsync(second, series.Package(2), Bound);
        await File.WriteAllBytesAsync(stale, series.Package(1), Bound);
        byte[] changed = series.Package(3);
        changed[^100] ^= 1;
        await File.WriteAllBytesAsync(broken, changed, Bound);
        string[] topic = ["--definition", service.DefinitionPath, "--verification-key", model.KeyPath, "--bootstrap-servers", broker.BootstrapServers];
        await using var worker = new WorkerRun(service, "verbs");
        await worker.ReadyAsync(Bound);

        Assert.StartsWith("good: ", await OwnProgram.TrainerAsync(["models", "verify", second, .. topic[..4]]), StringComparison.Ordinal);
        var (code, error) = await FailAsync(["verify", broken, .. topic[..4]]);
        Assert.Equal((ExitCode.Data, true), (code, error.Contains("SignatureInvalid", StringComparison.Ordinal)));
        Assert.Contains("is offered to lanes/champion", await TopicVerbAsync("publish", model.PackagePath), StringComparison.Ordinal);
        Assert.Contains("is offered to lanes/champion", await TopicVerbAsync("publish", second), StringComparison.Ordinal);
        Assert.Contains("offered already", await TopicVerbAsync("publish", second), StringComparison.Ordinal);
        (code, error) = await FailAsync(["publish", stale, .. topic]);
        Assert.Equal((ExitCode.Data, true), (code, error.Contains("is not above 2", StringComparison.Ordinal)));
        await worker.MetricsAsync(page => page["fraudscoring_model_sequence"] == 2, Bound);

        Assert.Contains("sequence 3", await TopicVerbAsync("rollback", "1", "--key", model.SecretKeyPath), StringComparison.Ordinal);
        await worker.MetricsAsync(page => page["fraudscoring_model_sequence"] == 3, Bound);
        Assert.Contains("already", await TopicVerbAsync("rollback", "1", "--key", model.SecretKeyPath), StringComparison.Ordinal);
        string[] lines = (await TopicVerbAsync("list")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["publish", "publish", "rollback of"], lines.Select(line => line.Split("  ")[2]).Select(action => action.StartsWith("rollback of", StringComparison.Ordinal) ? "rollback of" : action));

        // A worker that is given no file takes what the topic offers; after the withdrawal it finds nothing, and the one that runs goes on.
        await using (var other = StartWithoutFile(service))
        {
            await WaitForAsync(other, "sequence 3)");
            Assert.Equal(ExitCode.Ok, await other.TerminateAsync());
        }

        Assert.Contains("offers nothing any more", await TopicVerbAsync("withdraw"), StringComparison.Ordinal);
        await using (var late = StartWithoutFile(service))
        {
            Assert.Equal(ExitCode.Configuration, await late.EndAsync());
            Assert.Contains("offers none for lanes/champion", late.Printed, StringComparison.Ordinal);
        }

        var page = await worker.MetricsAsync(page => page["fraudscoring_model_offers_total{outcome=\"withdrawn\"}"] == 1, Bound);
        Assert.Equal(3, page["fraudscoring_model_sequence"]);
        Assert.Equal(1, page["fraudscoring_model_loaded"]);
        Assert.Equal(ExitCode.Ok, await worker.StopAsync());

        Task<string> TopicVerbAsync(params IEnumerable<string> args) => OwnProgram.TrainerAsync(["models", .. args, .. topic]);
        static async Task<(int Code, string Error)> FailAsync(params IEnumerable<string> args)
        {
            await using var program = OwnProgram.Start("Scoring.Trainer", ["models", .. args]);
            return (await program.EndAsync(), program.Printed);
        }
    }

    private static async Task WaitForAsync(OwnProgram program, string text)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!program.Printed.Contains(text, StringComparison.Ordinal) && await timer.WaitForNextTickAsync(Bound))
        {
            Assert.False(program.HasEnded, program.Printed);
        }
    }

    private OwnProgram StartWithoutFile(TestService service) => OwnProgram.StartWorker(
        "run", "--definition", service.DefinitionPath, "--bootstrap-servers", broker.BootstrapServers, "--verification-key", model.KeyPath, "--http", "127.0.0.1:0", "--lanes", "1", "--set", $"Kafka:Delivery={broker.Delivery}");
}
