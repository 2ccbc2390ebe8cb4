using Confluent.Kafka;

namespace Scoring.Simulation.Clients;

/// <summary>Requests that faults tell apart.</summary>
internal enum RequestKind
{
    /// <summary>Fetches, questions, heartbeats: may be slow.</summary>
    Other,

    /// <summary>A producer asks for its identity.</summary>
    InitProducerId,

    /// <summary>Partitions join a transaction.</summary>
    AddPartitions,

    /// <summary>Records.</summary>
    Produce,

    /// <summary>A group joins a transaction.</summary>
    AddOffsets,

    /// <summary>Offsets join a transaction.</summary>
    TxnOffsetCommit,

    /// <summary>A transaction ends.</summary>
    EndTxn,
}

/// <summary>What brokers answer when they do not do what they are asked.</summary>
internal static class Refusals
{
    private static readonly ErrorCode[] OfCoordinators = [ErrorCode.NotCoordinatorForGroup, ErrorCode.GroupLoadInProgress, ErrorCode.GroupCoordinatorNotAvailable];

    /// <summary>What a request of a kind may be answered although it could be done.</summary>
    public static ErrorCode Draw(RequestKind kind, Random random) => kind switch
    {
        RequestKind.Produce => random.Next(10) == 0 ? ErrorCode.InvalidTxnState : random.Next(2) == 0 ? ErrorCode.NotLeaderForPartition : ErrorCode.NotEnoughReplicas,
        RequestKind.AddPartitions or RequestKind.AddOffsets when random.Next(3) == 0 => ErrorCode.ConcurrentTransactions,
        RequestKind.TxnOffsetCommit => random.Next(8) switch
        {
            0 => ErrorCode.RebalanceInProgress,
            1 => ErrorCode.IllegalGeneration,
            2 => ErrorCode.UnknownMemberId,
            _ => OfCoordinators[random.Next(3)],
        },
        RequestKind.EndTxn => random.Next(8) switch
        {
            0 or 1 => ErrorCode.Unknown,
            2 => ErrorCode.InvalidProducerIdMapping,
            3 => ErrorCode.ConcurrentTransactions,
            _ => OfCoordinators[random.Next(3)],
        },
        _ => OfCoordinators[random.Next(3)],
    };

    /// <summary>Whether the client asks again by itself.</summary>
    public static bool IsRetriable(ErrorCode code) => code is ErrorCode.NotCoordinatorForGroup or ErrorCode.GroupLoadInProgress or ErrorCode.GroupCoordinatorNotAvailable
        or ErrorCode.ConcurrentTransactions or ErrorCode.NotLeaderForPartition or ErrorCode.NotEnoughReplicas;

    /// <summary>Whether the producer is another's now.</summary>
    public static bool IsFence(ErrorCode code) => code is ErrorCode.InvalidProducerEpoch or ErrorCode.ProducerFenced;
}
