using Scoring.Benchmarks.Inputs;
using Scoring.Benchmarks.Trees;

namespace Scoring.Benchmarks.Relay;

/// <summary>A service that whole workers are measured with, and its stream of events.</summary>
/// <param name="Name">One of <see cref="Names"/>.</param>
/// <param name="IsQuick">Whether few events will do.</param>
/// <param name="Events">How many, where that is not left to it; rounded down to a multiple of 16.</param>
internal sealed record WorkerService(string Name, bool IsQuick, int? Events)
{
    /// <summary>Names of what is run. "dense" crowds the same events into 17 minutes, so that every window holds every event of its account.</summary>
    public static readonly string[] Names = ["velocity", "card-payments", "card-payments-dense"];

    private const long DenseMicroseconds = 1_000;

    // A million events of 20,000 accounts in 30 days: 1.7 of an account and day, as cards are used. The longest window holds 50 of them at the end.
    private const long SpreadMicroseconds = 30L * 86_400_000_000 / 1_000_000;

    /// <summary>How many events a run has.</summary>
    public int EventCount => Events is { } wanted ? wanted & ~15 : IsQuick ? 60_000 : 1_000_000;

    /// <summary>The files that its worker starts from.</summary>
    public WorkerInputs CreateInputs()
    {
        byte[] json = Is("velocity") ? Definitions.Velocity.ToArray() : File.ReadAllBytes(Definitions.PathOf("card-payments.json"));
        return new WorkerInputs(json, new TrainedTrees().Nodes, Stream(), EventCount);
    }

    /// <summary>Writes its events to an empty topic.</summary>
    public void Fill(BenchmarkTopics topics, string topic)
    {
        var stream = Stream();
        topics.Fill(topic, stream, stream.Draw(EventCount, seed: 7));
    }

    private PaymentEvents Stream() => new(seed: 6, accounts: IsQuick ? 5_000 : 20_000, merchants: 5_000, Is("card-payments") ? SpreadMicroseconds : DenseMicroseconds);

    private bool Is(string name) => string.Equals(Name, name, StringComparison.Ordinal);
}
