namespace Scoring.Worker.Demo;

/// <summary>Who pays and where: what the numbers of a <see cref="SimulatedTransaction"/> stand for.</summary>
internal sealed class TrafficWorld
{
    /// <summary>Builds the world of <paramref name="options"/>.</summary>
    public TrafficWorld(TrafficOptions options, TrafficRandom random)
    {
        Merchants = new TrafficMerchants(options.Merchants, random);
        Accounts = new TrafficAccounts(options, Merchants, random);
    }

    /// <summary>The merchants and their terminals.</summary>
    public TrafficMerchants Merchants { get; }

    /// <summary>The customers.</summary>
    public TrafficAccounts Accounts { get; }
}
