using Scoring.Benchmarks.Inputs;
using Scoring.Models.Ensembles;

namespace Scoring.Benchmarks.Relay;

/// <summary>A service that whole workers are measured with, and its stream of events.</summary>
/// <param name="Name">One of <see cref="Names"/>.</param>
/// <param name="EventCount">How many events a run has; a multiple of 16.</param>
/// <param name="Accounts">Of how many accounts.</param>
internal sealed record WorkerService(string Name, int EventCount, int Accounts = 20_000)
{
    /// <summary>Names of what is run. "dense" crowds the same events into 17 minutes, so that every window holds every event of its account.</summary>
    public static readonly string[] Names = ["velocity", "card-payments", "card-payments-dense"];

    private const long DenseMicroseconds = 1_000;

    // A million events of 20,000 accounts in 30 days: 1.7 of an account and day, as cards are used. The longest window holds 50 of them at the end.
    private const long SpreadMicroseconds = 30L * 86_400_000_000 / 1_000_000;

    /// <summary>A service as it is measured.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="isQuick">Whether few events will do.</param>
    /// <param name="events">How many, where that is not left to it; rounded down to a multiple of 16.</param>
    public static WorkerService Of(string name, bool isQuick, int? events) =>
        isQuick ? new WorkerService(name, events & ~15 ?? 60_000, Accounts: 5_000) : new WorkerService(name, events & ~15 ?? 1_000_000);

    /// <summary>The files that its worker starts from.</summary>
    /// <param name="trees">What it scores with.</param>
    public WorkerInputs CreateInputs(TreeNodes trees)
    {
        byte[] json = Is("velocity") ? Definitions.Velocity.ToArray() : File.ReadAllBytes(Definitions.PathOf("card-payments.json"));
        return new WorkerInputs(json, trees, Stream(), EventCount);
    }

    /// <summary>Writes its events to an empty topic.</summary>
    public void Fill(BenchmarkTopics topics, string topic)
    {
        var stream = Stream();
        topics.Fill(topic, stream, stream.Draw(EventCount, seed: 7));
    }

    private PaymentEvents Stream() => new(seed: 6, Accounts, merchants: 5_000, Is("card-payments") ? SpreadMicroseconds : DenseMicroseconds);

    private bool Is(string name) => string.Equals(Name, name, StringComparison.Ordinal);
}
