using Confluent.Kafka;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>Offsets that join a transaction while its records are on their way: one is acknowledged at once, another a while later, or refused.</summary>
/// <remarks>Each with a broker of its own: one that was told how long to take knows no other orders of that kind any more.</remarks>
[Collection("Kafka clients")]
public sealed class OffsetsBesideRecordsTests : IDisposable
{
    private static readonly TimeSpan Later = TimeSpan.FromMilliseconds(300);

    private readonly TransactionScene scene = new();

    public OffsetsBesideRecordsTests() => scene.CommitsTheNext(); // So that the client knows the group's coordinator.

    [Fact]
    public void They_are_sent_before_the_last_record_is_acknowledged()
    {
        ProduceOneThatIsAnsweredLater(ErrorCode.NoError);
        Assert.Equal(TransactionAnswer.Done, scene.Commit().Answer);
        string[] calls = [.. scene.Producer.CallsOfTransaction]; // Since it was asked whether a record was refused, by beginning what is begun.
        Assert.DoesNotContain(nameof(IProducer<,>.SendOffsetsToTransaction), calls);
        Assert.Contains(nameof(IProducer<,>.CommitTransaction), calls);
        scene.CommitsTheNext();
    }

    [Theory]
    [InlineData(ErrorCode.MsgSizeTooLarge, nameof(TransactionAnswer.AbortTooLarge))]
    [InlineData(ErrorCode.UnknownProducerId, nameof(TransactionAnswer.Abort))]
    [InlineData(ErrorCode.TopicAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    [InlineData(ErrorCode.OutOfOrderSequenceNumber, nameof(TransactionAnswer.Fenced))]
    public void A_record_that_is_refused_meanwhile_aborts_before_the_end(ErrorCode error, string answer)
    {
        ProduceOneThatIsAnsweredLater(error);
        Assert.Equal(answer, scene.Commit().Answer.ToString());
        Assert.DoesNotContain(nameof(IProducer<,>.CommitTransaction), scene.Producer.CallsOfTransaction);
        Assert.Equal(error, scene.Output.LastError!.Code);
        scene.Output.GiveUpCommit();
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Fact]
    public void When_they_are_refused_meanwhile_the_producer_is_not_gone_on_with()
    {
        scene.Refuse(TransactionRequest.TxnOffsetCommit, ErrorCode.IllegalGeneration);
        ProduceOneThatIsAnsweredLater(ErrorCode.NoError);
        Assert.Equal(TransactionAnswer.AbortNotOwner, scene.Commit().Answer);
        scene.Output.GiveUpCommit();
        Assert.False(scene.Output.TryAbort()); // It would number records of the next transaction as those that may have arrived.
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Fact]
    public void What_is_not_acknowledged_in_time_takes_the_producer_with_it()
    {
        ProduceOneThatIsAnsweredLater(ErrorCode.NoError, TimeSpan.FromSeconds(2));
        Assert.False(scene.Output.TryAbort()); // It would number records of the next transaction as those that may have arrived.
        Assert.DoesNotContain(nameof(IProducer<,>.AbortTransaction), scene.Producer.CallsOfTransaction);
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Fact]
    public void They_wait_for_the_first_record()
    {
        scene.Broker.AnswerNext((short)TransactionRequest.Produce, (int)ErrorCode.NoError, Later);
        scene.Produce("alone");
        Assert.Equal(TransactionAnswer.Done, scene.Commit().Answer);
        string[] calls = [.. scene.Producer.CallsOfTransaction];
        Assert.True(Array.LastIndexOf(calls, nameof(IProducer<,>.Poll)) < Array.IndexOf(calls, nameof(IProducer<,>.SendOffsetsToTransaction)), string.Join(", ", calls));
    }

    public void Dispose() => scene.Dispose();

    private void ProduceOneThatIsAnsweredLater(ErrorCode error, TimeSpan? later = null)
    {
        scene.Broker.AnswerNext((short)TransactionRequest.Produce, (int)ErrorCode.NoError, TimeSpan.Zero);
        scene.Broker.AnswerNext((short)TransactionRequest.Produce, (int)error, later ?? Later);
        scene.Produce("at once");
        scene.Output.Produce(new TopicPartition(TransactionScene.Target.Topic, 1), default, "later"u8, hasKey: false);
    }
}
