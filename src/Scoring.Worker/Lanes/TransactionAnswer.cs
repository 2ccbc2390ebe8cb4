using Confluent.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>What a lane does about the answer to one step of a commit.</summary>
internal enum TransactionAnswer
{
    /// <summary>The step is done.</summary>
    Done,

    /// <summary>The same call again: the client goes on where it was. Never an abort meanwhile.</summary>
    CallAgain,

    /// <summary>Nothing is committed: abort, take back, do again.</summary>
    Abort,

    /// <summary>As <see cref="Abort"/>, and the group has moved on: what is still ours is seen at the next poll.</summary>
    AbortNotOwner,

    /// <summary>A right is missing; doing it again does not mend that.</summary>
    Stop,

    /// <summary>A record is larger than the broker takes: doing the same again gives the same.</summary>
    AbortTooLarge,

    /// <summary>Another producer has this one's identifier, or the broker has forgotten it: a new producer, then look what was committed.</summary>
    Fenced,

    /// <summary>It may have been committed or not: a new producer, then look.</summary>
    Unknown,
}

/// <summary>The answers to errors of Kafka's transactions, as Confluent.Kafka 2.16 on librdkafka 2.16 throws them.</summary>
/// <remarks>
/// The client speaks the first protocol of transactions (EndTxn up to version 1), in which an EndTxn that arrives late can end the
/// <em>next</em> transaction (KIP-890). So an error of the commit itself is never taken for an abort.
/// </remarks>
internal static class TransactionErrors
{
    /// <summary>The answer to an error of <c>InitTransactions</c> that is none of waiting.</summary>
    public static TransactionAnswer OfInitialise(KafkaException error) => Final(error.Error) ?? TransactionAnswer.Stop;

    /// <summary>The answer to an error of <c>SendOffsetsToTransaction</c>: offsets are not committed by it.</summary>
    public static TransactionAnswer OfOffsets(KafkaException error) =>
        Final(error.Error) ?? (error is KafkaRetriableException ? TransactionAnswer.CallAgain : Abortable(error.Error.Code));

    /// <summary>The answer to an error of <c>CommitTransaction</c>.</summary>
    public static TransactionAnswer OfCommit(KafkaException error) => Final(error.Error) ?? error switch
    {
        KafkaTxnRequiresAbortException when Abortable(error.Error.Code) is TransactionAnswer.AbortTooLarge => TransactionAnswer.AbortTooLarge,
        KafkaTxnRequiresAbortException => TransactionAnswer.Unknown,
        KafkaRetriableException => TransactionAnswer.CallAgain,
        _ => TransactionAnswer.Unknown,
    };

    /// <summary>The answer to a record that the client does not take, or to a transaction that it does not begin.</summary>
    public static TransactionAnswer OfProduce(Error error) => Final(error) ?? Abortable(error.Code);

    /// <summary>What holds at every step: the client calls some missing rights fatal, and does not call every fence so.</summary>
    private static TransactionAnswer? Final(Error error) => error.Code switch
    {
        ErrorCode.GroupAuthorizationFailed or ErrorCode.TopicAuthorizationFailed or ErrorCode.TransactionalIdAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed => TransactionAnswer.Stop,
        ErrorCode.Local_Fenced or ErrorCode.ProducerFenced or ErrorCode.InvalidProducerEpoch or ErrorCode.Local_Fatal => TransactionAnswer.Fenced,
        _ => error.IsFatal ? TransactionAnswer.Fenced : null,
    };

    private static TransactionAnswer Abortable(ErrorCode code) => code switch
    {
        ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId or ErrorCode.FencedInstanceId or ErrorCode.RebalanceInProgress or ErrorCode.StaleMemberEpoch => TransactionAnswer.AbortNotOwner,
        ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge => TransactionAnswer.AbortTooLarge,
        _ => TransactionAnswer.Abort,
    };
}
