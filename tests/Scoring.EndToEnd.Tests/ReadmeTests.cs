using System.Diagnostics;
using System.Text.Json;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Tests;

namespace Scoring.EndToEnd.Tests;

/// <summary>What the README tells a newcomer to type, typed.</summary>
public sealed class ReadmeTests(KafkaBroker broker)
{
    private const string Folder = "/usr/bin";

    [Fact]
    public async Task One_transaction_by_kcat_gets_its_score()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(Folder, "kcat")), "kcat is not installed (Debian: apt-get install kcat)");
        string lines = await BlockAsync("kcat -P");
        var topics = await broker.CreateTopicsAsync("readme", 4, DefinitionFiles.TopicNames);
        using var folder = new TestFolder();
        await using var worker = OwnProgram.StartWorker(
            "run", "--bootstrap-servers", broker.BootstrapServers, "--definition", DefinitionFiles.Write(folder, "card-payments.json", topics), "--without-model", "--http", "127.0.0.1:0", "--set", $"Kafka:Delivery={broker.Delivery}");
        string printed = await BashAsync(lines
            .Replace("localhost:9092", broker.BootstrapServers, StringComparison.Ordinal)
            .Replace("payments.transactions.v1", topics["transactions"], StringComparison.Ordinal)
            .Replace("fraud.scores.v1", topics["scores"], StringComparison.Ordinal));
        using var score = JsonDocument.Parse(printed.Trim());
        Assert.Equal("t-1", score.RootElement.GetProperty("transaction_id").GetString());
        // The partitions without traffic may not have said yet that they are idle: then the score says so too.
        Assert.StartsWith("rules_only", score.RootElement.GetProperty("degraded_reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, await worker.TerminateAsync());
    }

    private static async Task<string> BlockAsync(string containing)
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(RepositoryFiles.Root, "README.md"), TestContext.Current.CancellationToken);
        return readme.Split("```sh\n").Skip(1).Select(block => block.Split("```")[0]).Single(block => block.Contains(containing, StringComparison.Ordinal));
    }

    private static async Task<string> BashAsync(string script)
    {
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-e", "-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(bash.ExitCode == 0, $"ended with {bash.ExitCode}: {await errors}");
        return output;
    }
}
