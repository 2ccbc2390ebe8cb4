using Confluent.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>What was found of a partition when the group gave it to the lane.</summary>
/// <param name="Committed">First transaction that the group has not committed; <see cref="Offset.Unset"/> where it has none.</param>
/// <param name="CommittedLabels">First label that it has not committed; <see cref="Offset.Unset"/> where it has none.</param>
/// <param name="Low">First transaction that is retained.</param>
/// <param name="WaitsForOthers">Whether it may answer only when what a former owner told others is known.</param>
internal sealed record PartitionStart(Offset Committed, Offset CommittedLabels, long Low, bool WaitsForOthers);
