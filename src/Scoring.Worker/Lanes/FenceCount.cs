using Scoring.Worker.Commands;
using Scoring.Worker.Kafka;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Tells a worker that was shut out once from two of one name, which shut out each other again and again.</summary>
internal sealed class FenceCount(string transactionalId, WorkerMetrics metrics, TimeProvider clock)
{
    private const int Max = 3;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    private readonly Queue<long> fences = new();

    /// <summary>The identifier was taken from the lane's producer.</summary>
    /// <param name="openFor">How long its transaction had been open. One that is open beyond its time the broker itself ends, and shuts its producer out: that of a process that was stopped.</param>
    /// <exception cref="LaneFailure">It happens again and again.</exception>
    public void Add(TimeSpan openFor)
    {
        long now = clock.GetTimestamp();
        metrics.Fences.Inc();
        if (openFor >= KafkaClients.TransactionTimeout)
        {
            return;
        }

        fences.Enqueue(now);
        while (clock.GetElapsedTime(fences.Peek(), now) > Window)
        {
            fences.Dequeue();
        }

        if (fences.Count >= Max)
        {
            throw new LaneFailure(
                ExitCode.Configuration,
                $"another process uses the transactional identifier {transactionalId}: {Max} times within {Window.TotalSeconds:0} s each has shut out the other; give every worker its own Kafka:InstanceId");
        }
    }
}
