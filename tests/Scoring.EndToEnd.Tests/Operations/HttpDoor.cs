using System.Net;
using System.Net.Sockets;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>A worker's HTTP address, from outside.</summary>
internal sealed class HttpDoor(IPEndPoint endPoint) : IDisposable
{
    private readonly HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{endPoint}") };

    public IPEndPoint EndPoint { get; } = endPoint;

    /// <summary>A loopback port that nobody listens on.</summary>
    public static IPEndPoint FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }

    /// <summary>One answer.</summary>
    public async Task<(HttpStatusCode Status, string Body)> GetAsync(string path, CancellationToken cancellation)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), cancellation);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellation));
    }

    /// <summary>Asks until the answer is as wanted, also while nobody listens yet.</summary>
    public async Task<string> UntilAsync(string path, Func<(HttpStatusCode Status, string Body), bool> isWanted, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                var answer = await GetAsync(path, cancellation);
                if (isWanted(answer))
                {
                    return answer.Body;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await timer.WaitForNextTickAsync(cancellation);
        }
    }

    public void Dispose() => client.Dispose();
}
