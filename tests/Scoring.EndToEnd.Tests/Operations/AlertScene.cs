using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Processes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Programs as processes of their own, traffic, and Prometheus with hastened rules that watches them.</summary>
/// <remarks>
/// Two Prometheus servers look at the same programs. For one a minute of the rules is a second: alerts of minutes. For the other a day is some
/// ninety seconds: alerts of days. Whoever asks names the one whose windows fit.
/// </remarks>
internal sealed class AlertScene : IAsyncDisposable
{
    private const int MinuteIsSecond = 60;
    private const int DayIsNinetySeconds = 1_000;

    private const int LinesShown = 30;
    private const int FirstPort = 24_000;
    private const int PortCount = 8_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(240);

    private static int portsTried = Environment.ProcessId;

    private readonly ITestOutputHelper output;
    private readonly IAdminClient admin;
    private readonly CancellationTokenSource stop = new();
    private readonly Dictionary<IPEndPoint, OwnProgram> programs = [];
    private readonly Task sending;

    /// <summary>Begins to send.</summary>
    /// <param name="service">To whom.</param>
    /// <param name="output">Told how long each alert took.</param>
    /// <param name="seed">Seed of what is sent.</param>
    /// <param name="haste">What <see cref="Minutes"/> divides durations by, where an alert of minutes looks back on hours too.</param>
    public AlertScene(TestService service, ITestOutputHelper output, int seed, int haste = MinuteIsSecond)
    {
        (Service, this.output) = (service, output);
        Traffic = new Traffic(service, seed);
        Minutes = new PrometheusServer(haste);
        Days = new PrometheusServer(DayIsNinetySeconds);
        admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = service.Broker.BootstrapServers }).Build();
        sending = Task.Run(() => Traffic.RunAsync(stop.Token));
    }

    public TestService Service { get; }

    public Traffic Traffic { get; }

    /// <summary>For it a minute of the rules is a second.</summary>
    public PrometheusServer Minutes { get; }

    /// <summary>For it a day of the rules is 86 seconds.</summary>
    public PrometheusServer Days { get; }

    /// <summary>An address for a program that is killed and comes back: below the ports that outgoing connections take meanwhile.</summary>
    public static IPEndPoint FreePort()
    {
        while (true)
        {
            var candidate = new IPEndPoint(IPAddress.Loopback, FirstPort + (Interlocked.Increment(ref portsTried) % PortCount));
            try
            {
                using var listener = new TcpListener(candidate);
                listener.Start();
                return candidate;
            }
            catch (SocketException)
            {
                // Another's.
            }
        }
    }

    /// <summary>Waits until an expression has a number.</summary>
    public static async Task AnsweredAsync(PrometheusServer prometheus, string expression)
    {
        using var bound = Bound();
        await prometheus.AnsweredAsync(expression, bound.Token);
    }

    /// <summary>Starts a worker, or starts it again at its address, and waits until it is ready.</summary>
    public async Task WorkerAsync(IPEndPoint endPoint, params IEnumerable<string> arguments)
    {
        await StartAsync(PrometheusServer.Workers, endPoint, "Scoring.Worker",
            ["run", "--bootstrap-servers", Service.Broker.BootstrapServers, .. Service.Broker.DeliveryArguments, "--http", endPoint.ToString(), "--lanes", "2", "--set", "Lanes:InFlightMax=1000", "--set", $"Kafka:Group={Service.Topics.Prefix}", .. arguments]);
        await UntilAsync(endPoint, "/health/ready", _ => true);
    }

    /// <summary>Starts a trainer, or starts it again at its address, and waits until it answers.</summary>
    public async Task TrainerAsync(IPEndPoint endPoint, params IEnumerable<string> arguments)
    {
        await StartAsync(PrometheusServer.Trainers, endPoint, "Scoring.Trainer", ["watch", "--bootstrap-servers", Service.Broker.BootstrapServers, "--metrics", endPoint.ToString(), .. arguments]);
        await UntilAsync(endPoint, "/metrics", _ => true);
    }

    /// <summary>Asks a program until its answer is as wanted.</summary>
    public async Task UntilAsync(IPEndPoint endPoint, string path, Func<string, bool> isWanted)
    {
        using var bound = Bound();
        using var door = new HttpDoor(endPoint);
        try
        {
            var answered = door.UntilAsync(path, answer => answer.Status == HttpStatusCode.OK && isWanted(answer.Body), bound.Token);
            await Task.WhenAny(answered, programs[endPoint].EndAsync());
            Assert.True(answered.IsCompleted, $"{endPoint} ended:\n{LastLines(programs[endPoint])}");
            await answered;
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Assert.Fail($"{endPoint}{path} did not come to what was wanted:\n{LastLines(programs[endPoint])}");
        }
    }

    /// <summary>Stops a program and lets it go on, again and again, as a host does that is short of processors; ends with what is given back.</summary>
    public IAsyncDisposable HoldUp(IPEndPoint endPoint) => new HeldUpProgram(programs[endPoint]);

    /// <summary>SIGKILL.</summary>
    public Task KillAsync(IPEndPoint endPoint) => programs[endPoint].KillAsync();

    /// <summary>Ends a program for good: it is not scraped any more.</summary>
    public async Task RetireAsync(string job, IPEndPoint endPoint)
    {
        await programs[endPoint].TerminateAsync();
        Minutes.Forget(job, endPoint);
        Days.Forget(job, endPoint);
    }

    /// <summary>Waits until none of the alerts fires, does something, and waits until each of them does.</summary>
    public async Task ProvokeAsync(PrometheusServer prometheus, Func<Task> fault, params IReadOnlyList<string> alerts)
    {
        await WaitAsync(prometheus, alerts, fires: false);
        await fault();
        await WaitAsync(prometheus, alerts, fires: true);
    }

    /// <summary>As the other, where a switch of <see cref="Traffic"/> is the fault.</summary>
    public Task ProvokeAsync(PrometheusServer prometheus, Action fault, params IReadOnlyList<string> alerts) =>
        ProvokeAsync(
            prometheus,
            () =>
            {
                fault();
                return Task.CompletedTask;
            },
            alerts);

    /// <summary>Waits until none of the alerts fires.</summary>
    public Task ResolveAsync(PrometheusServer prometheus, params IReadOnlyList<string> alerts) => WaitAsync(prometheus, alerts, fires: false);

    /// <summary>Retention takes everything that stands in the topic now.</summary>
    public async Task DeleteRecordsAsync(string name) =>
        await admin.DeleteRecordsAsync(Enumerable.Range(0, Service.Topics.PartitionCount).Select(partition => new TopicPartitionOffset(Service.Topics[name], partition, Offset.End)));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await sending;
        foreach (var program in programs.Values)
        {
            await program.DisposeAsync();
        }

        await Minutes.DisposeAsync();
        await Days.DisposeAsync();
        admin.Dispose();
        stop.Dispose();
    }

    private static string LastLines(OwnProgram program) => string.Join('\n', program.Printed.Split('\n').TakeLast(LinesShown));

    private static CancellationTokenSource Bound()
    {
        var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(Patience);
        return bound;
    }

    private async Task StartAsync(string job, IPEndPoint endPoint, string assembly, IEnumerable<string> arguments)
    {
        if (programs.Remove(endPoint, out var before))
        {
            await before.DisposeAsync();
        }

        programs.Add(endPoint, OwnProgram.Start(assembly, arguments));
        Minutes.Scrape(job, endPoint);
        Days.Scrape(job, endPoint);
    }

    private async Task WaitAsync(PrometheusServer prometheus, IEnumerable<string> alerts, bool fires)
    {
        foreach (string alert in alerts)
        {
            long started = TimeProvider.System.GetTimestamp();
            using var bound = Bound();
            try
            {
                await prometheus.AlertAsync(alert, fires, bound.Token);
            }
            catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                string firing = string.Join(", ", await prometheus.FiringAsync(TestContext.Current.CancellationToken));
                Assert.Fail($"{alert} {(fires ? "did not fire" : "did not resolve")} within {Patience.TotalSeconds} s; firing: {firing}\n{string.Join("\n", programs.Select(program => $"-- {program.Key}\n{LastLines(program.Value)}"))}");
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{alert} {(fires ? "fires" : "is resolved")} after {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s"));
        }
    }
}
