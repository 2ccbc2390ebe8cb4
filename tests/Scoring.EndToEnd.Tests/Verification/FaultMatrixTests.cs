using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Verification;

/// <summary>A share of the fault matrix, docs/reliability.md.</summary>
public sealed class FaultMatrixTests(KafkaBroker broker, ITestOutputHelper output)
{
    [Fact]
    public async Task Workers_that_are_killed_paused_and_restarted_answer_each_payment_once()
    {
        broker.SkipUnlessReal("workers die in the midst of Kafka transactions");

        var (exitCode, printed) = await RunAsync("--rows", "kill,pause,restart,scale,corpus,repeats", "--injections", "2");

        Assert.True(exitCode == ExitCode.Ok, printed);
        Assert.Contains("6 of 6 good", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_killed_worker_that_publishes_at_least_once_says_twice_is_found()
    {
        broker.SkipUnlessReal("workers die in the midst of their work");

        var (exitCode, printed) = await RunAsync("--rows", "kill", "--injections", "2", "--set", "Kafka:Delivery=at_least_once", "--set", "Lanes:CommitIntervalMs=5000");

        Assert.True(exitCode == ExitCode.Data, printed);
        Assert.Contains("duplicated: ", printed, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string Printed)> RunAsync(params IEnumerable<string> arguments)
    {
        await using var faults = OwnProgram.StartFaults(["matrix", "--bootstrap-servers", broker.BootstrapServers, "--seed", "7", "--rate", "300", .. arguments]);
        int exitCode = await faults.EndAsync();
        output.WriteLine(faults.Printed);
        return (exitCode, faults.Printed);
    }
}
