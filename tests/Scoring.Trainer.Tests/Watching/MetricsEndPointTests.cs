using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Prometheus;
using Scoring.Trainer.Watching;

namespace Scoring.Trainer.Tests.Watching;

/// <summary>The trainer's page as a scraper sees it.</summary>
public sealed class MetricsEndPointTests : IDisposable
{
    private readonly CollectorRegistry registry = Metrics.NewCustomRegistry();
    private readonly HttpClient scraper = new(new SocketsHttpHandler { UseProxy = false });

    public void Dispose() => scraper.Dispose();

    [Fact]
    public async Task It_shows_the_metrics_on_every_address_and_nothing_else()
    {
        Metrics.WithCustomRegistry(registry).CreateCounter("seen_total", "Seen.").Inc(3);
        using var page = new MetricsEndPoint(IPAddress.Any, 0, registry, TimeProvider.System);

        using var shown = await scraper.GetAsync(At(page, "/metrics"), TestContext.Current.CancellationToken);
        using var again = await scraper.GetAsync(At(page, "/metrics?name=seen_total"), TestContext.Current.CancellationToken);
        using var other = await scraper.GetAsync(At(page, "/"), TestContext.Current.CancellationToken);
        using var posted = await scraper.PostAsync(At(page, "/metrics"), content: null, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
        Assert.Equal("text/plain", shown.Content.Headers.ContentType!.MediaType);
        Assert.Contains("seen_total 3", await shown.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal([HttpStatusCode.NotFound, HttpStatusCode.NotFound], [other.StatusCode, posted.StatusCode]);
    }

    [Fact]
    public async Task Who_asks_nothing_or_goes_away_keeps_nobody_out()
    {
        using var page = new MetricsEndPoint(IPAddress.Loopback, 0, registry, TimeProvider.System);
        using var silent = new TcpClient();
        await silent.ConnectAsync(page.Address, TestContext.Current.CancellationToken);
        using (var gone = new TcpClient())
        {
            await gone.ConnectAsync(page.Address, TestContext.Current.CancellationToken);
        }

        using var shown = await scraper.GetAsync(At(page, "/metrics"), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
    }

    private static Uri At(MetricsEndPoint page, string path) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{page.Address.Port}{path}"));
}
