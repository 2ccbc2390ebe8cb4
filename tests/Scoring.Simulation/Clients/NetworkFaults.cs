namespace Scoring.Simulation.Clients;

/// <summary>How bad the network is, each a share of requests, 0 to 1.</summary>
internal sealed record NetworkFaults
{
    /// <summary>Takes up to some seconds.</summary>
    public double Slow { get; init; }

    /// <summary>The broker refuses it for the moment, or for good.</summary>
    public double Refused { get; init; }

    /// <summary>The connection breaks before the broker has the request.</summary>
    public double Lost { get; init; }

    /// <summary>The connection breaks before the client has the answer.</summary>
    public double AnswerLost { get; init; }

    /// <summary>A broker that has just started tells a reader of transactions or labels of an end before its position, and the reader begins again at the first record; a share of what it fetches.</summary>
    public double SentBack { get; init; }

    /// <summary>The broker of one partition of transactions or labels stands still for up to some seconds: a share of what is fetched.</summary>
    public double LateReads { get; init; }

    /// <summary>The connection breaks, and the request arrives all the same, seconds later: after the client has asked again.</summary>
    public double Late { get; init; }
}
