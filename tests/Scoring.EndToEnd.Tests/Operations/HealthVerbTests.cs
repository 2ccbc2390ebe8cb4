using System.Globalization;
using System.Net;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>The verb by which a container engine asks a worker how it is.</summary>
public sealed class HealthVerbTests(KafkaBroker broker)
{
    [Fact]
    public async Task A_worker_that_runs_is_well()
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(60));
        using var service = await TestService.WithoutMemoryAsync(broker, partitionCount: 1);
        await using var worker = new WorkerRun(service, "health-verb");
        await worker.ReadyAsync(bound.Token);

        // As in a container: told to listen on every address, it is asked on loopback.
        string everywhere = string.Create(CultureInfo.InvariantCulture, $"0.0.0.0:{worker.EndPoint.Port}");
        foreach (string[] page in new string[][] { [], ["live"], ["ready"], ["startup"] })
        {
            Assert.Equal((ExitCode.Ok, "", ""), await HealthAsync([.. page, "--http", everywhere]));
        }

        Assert.Equal(ExitCode.Ok, await worker.StopAsync());
    }

    [Fact]
    public async Task Where_no_worker_answers_it_says_so()
    {
        var nobody = HttpDoor.FreePort();
        var (exitCode, output, error) = await HealthAsync("--http", nobody.ToString());
        Assert.Equal(ExitCode.Unavailable, exitCode);
        Assert.Empty(output);
        Assert.StartsWith($"http://{nobody}/health/ready: no worker answers", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_worker_lacks_is_told()
    {
        using var listener = new HttpListener();
        var door = HttpDoor.FreePort();
        listener.Prefixes.Add($"http://{door}/");
        listener.Start();
        var answering = AnswerAsync(listener);
        var (exitCode, _, error) = await HealthAsync("ready", "--http", door.ToString());
        await answering;
        Assert.Equal(ExitCode.Unavailable, exitCode);
        Assert.Equal($"http://{door}/health/ready: {{\"status\":\"failing\",\"problem\":\"draining\"}}", error.Trim());
    }

    private static async Task AnswerAsync(HttpListener listener)
    {
        var context = await listener.GetContextAsync();
        context.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
        await context.Response.OutputStream.WriteAsync("""{"status":"failing","problem":"draining"}"""u8.ToArray());
        context.Response.Close();
    }

    private static async Task<(int ExitCode, string Output, string Error)> HealthAsync(params IEnumerable<string> arguments)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var error = new StringWriter(CultureInfo.InvariantCulture);
        int exitCode = await CommandLine.RunAsync(["health", .. arguments], output, error);
        return (exitCode, output.ToString(), error.ToString());
    }
}
