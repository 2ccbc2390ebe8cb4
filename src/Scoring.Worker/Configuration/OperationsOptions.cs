using System.Net;

namespace Scoring.Worker.Configuration;

/// <summary>Metrics, health and logs. Section <c>Operations</c>.</summary>
internal sealed record OperationsOptions
{
    /// <summary>Where <c>/metrics</c> and <c>/health/*</c> answer. Default loopback:9464; port 0 takes a free one; anyone who reaches another address can read them.</summary>
    public IPEndPoint Http { get; init; } = new(IPAddress.Loopback, 9464);

    /// <summary>Whether log lines are JSON. Default: when standard error is not a terminal.</summary>
    public bool JsonLogs { get; init; } = Console.IsErrorRedirected;
}
