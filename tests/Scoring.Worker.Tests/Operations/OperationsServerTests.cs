using System.Net;
using System.Text.Json.Nodes;
using Prometheus;
using Scoring.Worker.Configuration;
using Scoring.Worker.Operations;
using Scoring.Worker.Tests.Serving;

namespace Scoring.Worker.Tests.Operations;

/// <summary>What a probe reads over HTTP while lanes come, turn, stick and go.</summary>
public sealed class OperationsServerTests : IAsyncLifetime
{
    private readonly StepClock clock = new();
    private readonly HealthState health;
    private readonly HttpClient client = new();
    private OperationsServer? server;

    public OperationsServerTests() => health = new HealthState(laneCount: 2, clock);

    public async ValueTask InitializeAsync()
    {
        var options = new OperationsOptions { Http = new IPEndPoint(IPAddress.Loopback, 0) };
        server = await OperationsServer.StartAsync(options, new WorkerMetrics(Metrics.NewCustomRegistry()), health);
        client.BaseAddress = new Uri(server.Address);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await server!.DisposeAsync();
    }

    [Fact]
    public async Task It_is_ready_when_every_lane_has_its_assignment_and_its_state_and_until_it_drains()
    {
        await ExpectAsync(live: null, ready: "starting", startup: "starting");

        health.Started();
        Beat(0, hasAssignment: true);
        await ExpectAsync(live: null, ready: "lane 1 has no assignment yet", startup: null);

        Beat(0, hasAssignment: true, rebuilding: 2);
        Beat(1, hasAssignment: true, rebuilding: 1);
        await ExpectAsync(live: null, ready: "state of 3 partitions is being rebuilt", startup: null);

        Beat(0, hasAssignment: true);
        Beat(1, hasAssignment: true);
        await ExpectAsync(live: null, ready: null, startup: null);

        health.Stopping();
        await ExpectAsync(live: null, ready: "draining", startup: null);
    }

    [Fact]
    public async Task A_lane_that_does_not_turn_is_not_alive_until_it_turns_again()
    {
        health.Started();
        Beat(0, hasAssignment: true);
        Beat(1, hasAssignment: true);
        clock.Advance(HealthState.HeartbeatMax);
        await ExpectAsync(live: null, ready: null, startup: null);

        Beat(0, hasAssignment: true);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await ExpectAsync(live: "lane 1 has not turned for 30 s", ready: "lane 1 has not turned for 30 s", startup: null);

        Beat(1, hasAssignment: true);
        await ExpectAsync(live: null, ready: null, startup: null);
    }

    [Fact]
    public async Task A_lane_that_has_ended_is_the_end_of_the_process()
    {
        health.Started();
        Beat(0, hasAssignment: true);
        Beat(1, hasAssignment: true);
        health.Failed("lane 1 ended");
        await ExpectAsync(live: "lane 1 ended", ready: "lane 1 ended", startup: null);
    }

    private void Beat(int lane, bool hasAssignment, int rebuilding = 0) => health.Beat(lane, clock.GetTimestamp(), hasAssignment, rebuilding);

    private async Task ExpectAsync(string? live, string? ready, string? startup)
    {
        await ExpectAsync("/health/live", live);
        await ExpectAsync("/health/ready", ready);
        await ExpectAsync("/health/startup", startup);
    }

    private async Task ExpectAsync(string path, string? problem)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal(problem, (string?)body["problem"]);
        Assert.Equal(problem is null ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(problem is null ? "ok" : "failing", (string?)body["status"]);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        Assert.True(answer.Headers.CacheControl?.NoStore);
    }
}
