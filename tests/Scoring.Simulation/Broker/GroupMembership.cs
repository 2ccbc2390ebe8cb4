using Confluent.Kafka;

namespace Scoring.Simulation.Broker;

/// <summary>Who a member believes to be: what its offsets are checked against.</summary>
/// <param name="MemberId">Given by the coordinator; empty before and after.</param>
/// <param name="Generation">Of the group; -1 for none.</param>
/// <param name="InstanceId">Its static name, or null.</param>
internal sealed record GroupMembership(string MemberId, int Generation, string? InstanceId) : IConsumerGroupMetadata;

/// <summary>What a member that joined is told.</summary>
/// <param name="Error">Why not.</param>
/// <param name="MemberId">Its name from now on.</param>
/// <param name="Generation">Of the group.</param>
/// <param name="Partitions">What it owns.</param>
internal sealed record JoinAnswer(ErrorCode Error, string MemberId, int Generation, IReadOnlyList<int> Partitions);
