namespace Scoring.Worker.Tests.Lanes;

/// <summary>Requests of a transaction, by their numbers in Kafka's protocol.</summary>
public enum TransactionRequest
{
    /// <summary>Records.</summary>
    Produce = 0,

    /// <summary>An identifier's producer, and the end of the one before.</summary>
    InitProducerId = 22,

    /// <summary>Output partitions join the transaction.</summary>
    AddPartitionsToTxn = 24,

    /// <summary>The group joins it.</summary>
    AddOffsetsToTxn = 25,

    /// <summary>It is committed or aborted.</summary>
    EndTxn = 26,

    /// <summary>The group's offsets.</summary>
    TxnOffsetCommit = 28,
}
