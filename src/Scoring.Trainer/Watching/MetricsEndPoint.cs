using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Prometheus;

namespace Scoring.Trainer.Watching;

/// <summary>Answers <c>GET /metrics</c> in Prometheus' text format, and nothing else.</summary>
/// <remarks>
/// Not <c>HttpListener</c>: it fails when a scraper connects in the moment in which it begins to listen, as one does that waits for a trainer to come
/// back. One connection at a time is enough for a page of some kilobytes; whoever is slow is cut off, so that nobody keeps others out.
/// </remarks>
internal sealed class MetricsEndPoint : IDisposable
{
    private const int RequestBytesMax = 8_192;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly CollectorRegistry registry;
    private readonly TimeProvider clock;
    private readonly TcpListener listener;
    private readonly CancellationTokenSource ending = new();
    private readonly Task answering;

    /// <summary>Begins to answer.</summary>
    /// <param name="address">Where to listen.</param>
    /// <param name="port">The port; 0 takes a free one.</param>
    /// <param name="registry">What is shown.</param>
    /// <param name="clock">Bounds a request.</param>
    /// <exception cref="SocketException">The address is taken, or not of this machine.</exception>
    public MetricsEndPoint(IPAddress address, int port, CollectorRegistry registry, TimeProvider clock)
    {
        (this.registry, this.clock) = (registry, clock);
        listener = new TcpListener(address, port);
        listener.Start();
        answering = Task.Run(AnswerAsync);
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address => (IPEndPoint)listener.LocalEndpoint;

    /// <inheritdoc/>
    public void Dispose()
    {
        ending.Cancel();
        listener.Dispose();
        answering.Wait(Patience);
        ending.Dispose();
    }

    private async Task AnswerAsync()
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync(ending.Token);
                using var bound = new CancellationTokenSource(Patience, clock);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, ending.Token);
                await AnswerAsync(client.GetStream(), both.Token);
            }
            catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // That client went away or was too slow; or this ends.
            }
        }
    }

    private async Task AnswerAsync(NetworkStream stream, CancellationToken cancellation)
    {
        string request = await ReadHeadAsync(stream, cancellation);
        string target = request.Split(' ', 3) is ["GET", var asked, _] ? asked.Split('?')[0] : "";
        using var body = new MemoryStream();
        bool isKnown = string.Equals(target, "/metrics", StringComparison.Ordinal);
        if (isKnown)
        {
            await registry.CollectAndExportAsTextAsync(body, cancellation);
        }

        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {(isKnown ? "200 OK" : "404 Not Found")}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {body.Length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), cancellation);
        await stream.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length), cancellation);
    }

    /// <summary>Everything up to the empty line: a client whose request is not read to its end may lose the answer.</summary>
    private static async Task<string> ReadHeadAsync(NetworkStream stream, CancellationToken cancellation)
    {
        byte[] bytes = new byte[RequestBytesMax];
        int count = 0;
        while (count < bytes.Length && !bytes.AsSpan(0, count).EndsWith("\r\n\r\n"u8))
        {
            int read = await stream.ReadAsync(bytes.AsMemory(count), cancellation);
            if (read == 0)
            {
                break;
            }

            count += read;
        }

        return Encoding.ASCII.GetString(bytes, 0, count);
    }
}
