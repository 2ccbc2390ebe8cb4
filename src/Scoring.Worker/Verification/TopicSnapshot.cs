namespace Scoring.Worker.Verification;

/// <summary>A topic as it was at one moment.</summary>
/// <param name="Topic">Its name.</param>
/// <param name="Starts">First retained offset by partition.</param>
/// <param name="Ends">End by partition, counting what stands in open Kafka transactions.</param>
/// <param name="Open">Partitions whose Kafka transactions were still open at the end of the wait: read to before them.</param>
internal sealed record TopicSnapshot(string Topic, long[] Starts, long[] Ends, IReadOnlyList<int> Open);
