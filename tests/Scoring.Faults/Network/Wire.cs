using System.Net;
using System.Net.Sockets;

namespace Scoring.Faults.Network;

/// <summary>The way between one worker and the only broker: carries bytes, and holds them back where a row cuts it.</summary>
/// <remarks>
/// What is held back is carried later, where both ends still stand: so does TCP, whose segments are lost and sent again. A client that has given up
/// meanwhile is gone; its last requests arrive all the same, late.
/// </remarks>
internal sealed class Wire : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly TcpListener listener = new(IPAddress.Loopback, port: 0);
    private readonly CancellationTokenSource stop = new();
    private readonly int brokerPort;
    private readonly Task accepting;

    /// <summary>Listens at a free port; the broker need not be there yet.</summary>
    public Wire(int brokerPort)
    {
        this.brokerPort = brokerPort;
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>Where the worker connects.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>From the worker to the broker, new connections included.</summary>
    public Gate Requests { get; } = new();

    /// <summary>From the broker to the worker.</summary>
    public Gate Answers { get; } = new();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting;
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var carrying = new List<Task>();
        try
        {
            while (true)
            {
                carrying.RemoveAll(task => task.IsCompleted);
                carrying.Add(ConnectAsync(await listener.AcceptTcpClientAsync(stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(carrying);
        }
    }

    private async Task ConnectAsync(TcpClient worker)
    {
        using var near = worker;
        using var far = new TcpClient { NoDelay = true };
        near.NoDelay = true;
        try
        {
            await Requests.PassAsync(stop.Token);
            await far.ConnectAsync(IPAddress.Loopback, brokerPort, stop.Token);
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            return; // No broker there: the worker sees its connection end.
        }

        await Task.WhenAll(CarryAsync(near, far, Requests), CarryAsync(far, near, Answers));
    }

    private async Task CarryAsync(TcpClient from, TcpClient to, Gate gate)
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            int count;
            while ((count = await from.GetStream().ReadAsync(buffer, stop.Token)) > 0)
            {
                await gate.PassAsync(stop.Token);
                await to.GetStream().WriteAsync(buffer.AsMemory(0, count), stop.Token);
            }

            await gate.PassAsync(stop.Token);
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception ended) when (ended is IOException or SocketException or OperationCanceledException or InvalidOperationException)
        {
            from.Dispose(); // Nobody takes what it says.
        }
    }
}
