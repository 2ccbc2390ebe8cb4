using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Lanes;

/// <summary>Tells a worker that was shut out once from two of one name, which shut out each other again and again.</summary>
internal sealed class FenceCount(string transactionalId, WorkerMetrics metrics, TimeProvider clock)
{
    private const int Max = 3;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    private readonly Queue<long> fences = new();

    /// <summary>Another producer has taken the identifier.</summary>
    /// <exception cref="LaneFailure">It happens again and again.</exception>
    public void Add()
    {
        long now = clock.GetTimestamp();
        metrics.Fences.Inc();
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
