using Confluent.Kafka;
using Scoring.Worker.Commands;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>Every error of Kafka's transactions has its answer, as the client that is shipped throws it; and after each the next transaction commits.</summary>
[Collection("Kafka clients")]
public sealed class TransactionErrorTests : IClassFixture<TransactionScene>
{
    private const ErrorCode TransactionAbortable = (ErrorCode)120;

    private readonly TransactionScene scene;

    public TransactionErrorTests(TransactionScene scene)
    {
        this.scene = scene;
        scene.Begin();
    }

    [Theory]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.IllegalGeneration, nameof(TransactionAnswer.AbortNotOwner))]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.UnknownMemberId, nameof(TransactionAnswer.AbortNotOwner))]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.FencedInstanceId, nameof(TransactionAnswer.AbortNotOwner))]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.StaleMemberEpoch, nameof(TransactionAnswer.AbortNotOwner))]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.RebalanceInProgress, nameof(TransactionAnswer.AbortNotOwner))]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.GroupAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.TopicAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.NotEnoughReplicas, nameof(TransactionAnswer.Abort))]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.KafkaStorageError, nameof(TransactionAnswer.Abort))]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.Unknown, nameof(TransactionAnswer.Abort))]
    [InlineData(TransactionRequest.TxnOffsetCommit, TransactionAbortable, nameof(TransactionAnswer.Abort))]
    [InlineData(TransactionRequest.AddOffsetsToTxn, ErrorCode.GroupAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    [InlineData(TransactionRequest.AddOffsetsToTxn, ErrorCode.InvalidProducerIdMapping, nameof(TransactionAnswer.Abort))]
    public void Offsets_that_are_refused_are_aborted_and_the_same_producer_goes_on(TransactionRequest request, ErrorCode error, string answer)
    {
        scene.Refuse(request, error);
        var producer = scene.Producer;
        scene.Produce("aborted");
        var commit = scene.Commit();
        Assert.Equal(answer, commit.Answer.ToString());
        Assert.Equal(error, scene.Output.LastError!.Code);
        Assert.True(scene.Output.IsCommitting);
        scene.Output.GiveUpCommit();
        bool isInTime = scene.Aborts();
        Assert.DoesNotContain(nameof(IProducer<,>.CommitTransaction), producer.CallsOfTransaction);
        scene.CommitsTheNext();
        Assert.Equal(isInTime, ReferenceEquals(producer, scene.Producer));
    }

    [Theory]
    [InlineData(TransactionRequest.AddPartitionsToTxn, ErrorCode.TopicAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    [InlineData(TransactionRequest.AddPartitionsToTxn, ErrorCode.InvalidProducerIdMapping, nameof(TransactionAnswer.Abort))]
    [InlineData(TransactionRequest.Produce, ErrorCode.MsgSizeTooLarge, nameof(TransactionAnswer.AbortTooLarge))]
    [InlineData(TransactionRequest.Produce, ErrorCode.RecordListTooLarge, nameof(TransactionAnswer.AbortTooLarge))]
    [InlineData(TransactionRequest.Produce, ErrorCode.UnknownProducerId, nameof(TransactionAnswer.Abort))]
    [InlineData(TransactionRequest.Produce, ErrorCode.InvalidTxnState, nameof(TransactionAnswer.Abort))]
    [InlineData(TransactionRequest.Produce, ErrorCode.TopicAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    [InlineData(TransactionRequest.Produce, ErrorCode.ClusterAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    [InlineData(TransactionRequest.Produce, ErrorCode.TransactionalIdAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    public void A_record_that_is_refused_aborts_before_the_end_and_another_producer_goes_on(TransactionRequest request, ErrorCode error, string answer)
    {
        scene.Refuse(request, error);
        scene.Produce("refused");
        Assert.Equal(answer, scene.Commit().Answer.ToString());
        Assert.Equal(error, scene.Output.LastError!.Code);
        scene.Output.GiveUpCommit();
        var producer = scene.Producer;
        scene.Aborts();
        Assert.DoesNotContain(nameof(IProducer<,>.CommitTransaction), producer.CallsOfTransaction);
        scene.Replace(); // Sequence numbers are missing in the old one.
        scene.CommitsTheNext();
    }

    [Theory]
    [InlineData(ErrorCode.InvalidProducerIdMapping)]
    [InlineData(ErrorCode.Unknown)]
    [InlineData(TransactionAbortable)]
    [InlineData(ErrorCode.NotEnoughReplicas)]
    [InlineData(ErrorCode.KafkaStorageError)]
    public void An_error_of_the_end_itself_is_never_taken_for_an_abort(ErrorCode error)
    {
        scene.Refuse(TransactionRequest.EndTxn, error);
        scene.Produce("perhaps");
        Assert.Equal(TransactionAnswer.Unknown, scene.Commit().Answer);
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Theory]
    [InlineData(TransactionRequest.EndTxn, ErrorCode.InvalidProducerEpoch)]
    [InlineData(TransactionRequest.EndTxn, ErrorCode.ProducerFenced)]
    [InlineData(TransactionRequest.EndTxn, ErrorCode.InvalidTxnState)]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.InvalidProducerEpoch)]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.InvalidTxnState)]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.InvalidProducerIdMapping)]
    [InlineData(TransactionRequest.AddOffsetsToTxn, ErrorCode.InvalidTxnState)]
    [InlineData(TransactionRequest.AddPartitionsToTxn, ErrorCode.ProducerFenced)]
    [InlineData(TransactionRequest.AddPartitionsToTxn, ErrorCode.InvalidTxnState)]
    [InlineData(TransactionRequest.Produce, ErrorCode.InvalidProducerEpoch)]
    [InlineData(TransactionRequest.Produce, ErrorCode.OutOfOrderSequenceNumber)]
    public void A_producer_that_is_fenced_cannot_even_abort(TransactionRequest request, ErrorCode error)
    {
        scene.Refuse(request, error);
        scene.Produce("fenced");
        Assert.Equal(TransactionAnswer.Fenced, scene.Commit().Answer);
        scene.Output.GiveUpCommit();
        Assert.False(scene.Output.TryAbort());
        Assert.True(scene.Output.IsFenced);
        scene.Replace();
        Assert.False(scene.Output.IsFenced);
        scene.CommitsTheNext();
    }

    [Theory]
    [InlineData(TransactionRequest.AddOffsetsToTxn)]
    [InlineData(TransactionRequest.TxnOffsetCommit)]
    public void A_fence_that_the_client_takes_for_less_is_one(TransactionRequest request)
    {
        scene.Refuse(request, ErrorCode.ProducerFenced);
        scene.Produce("fenced");
        Assert.Equal(TransactionAnswer.Fenced, scene.Commit().Answer);
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Theory]
    [InlineData(TransactionRequest.AddPartitionsToTxn, ErrorCode.TransactionalIdAuthorizationFailed)]
    [InlineData(TransactionRequest.AddOffsetsToTxn, ErrorCode.TransactionalIdAuthorizationFailed)]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.TransactionalIdAuthorizationFailed)]
    [InlineData(TransactionRequest.EndTxn, ErrorCode.TransactionalIdAuthorizationFailed)]
    [InlineData(TransactionRequest.EndTxn, ErrorCode.ClusterAuthorizationFailed)]
    public void A_missing_right_stops_although_the_client_calls_it_fatal(TransactionRequest request, ErrorCode error)
    {
        scene.Refuse(request, error);
        scene.Produce("no right");
        Assert.Equal(TransactionAnswer.Stop, scene.Commit().Answer);
        Assert.True(scene.Output.LastError!.IsFatal);
        Assert.Equal(error, scene.Output.LastError.Code);
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Theory]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.GroupLoadInProgress, 2)]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.NotCoordinatorForGroup, 2)]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.GroupCoordinatorNotAvailable, 2)]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.ConcurrentTransactions, 2)]
    [InlineData(TransactionRequest.TxnOffsetCommit, ErrorCode.Local_Transport, 2)]
    [InlineData(TransactionRequest.AddOffsetsToTxn, ErrorCode.NotCoordinatorForGroup, 3)]
    [InlineData(TransactionRequest.AddOffsetsToTxn, ErrorCode.Local_Transport, 2)]
    [InlineData(TransactionRequest.EndTxn, ErrorCode.GroupLoadInProgress, 3)]
    [InlineData(TransactionRequest.EndTxn, ErrorCode.NotCoordinatorForGroup, 3)]
    [InlineData(TransactionRequest.EndTxn, ErrorCode.GroupCoordinatorNotAvailable, 3)]
    [InlineData(TransactionRequest.EndTxn, ErrorCode.ConcurrentTransactions, 3)]
    [InlineData(TransactionRequest.EndTxn, ErrorCode.Local_Transport, 2)]
    public void What_the_client_repeats_is_committed_and_known_by_its_slowness(TransactionRequest request, ErrorCode error, int times)
    {
        scene.Refuse(request, error, times);
        scene.Produce("late");
        var (answer, _, tookTooLong) = scene.Commit();
        Assert.Equal(TransactionAnswer.Done, answer);
        Assert.True(tookTooLong);
        Assert.DoesNotContain(nameof(IProducer<,>.AbortTransaction), scene.Producer.CallsOfTransaction);
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Theory]
    [InlineData(TransactionRequest.Produce, ErrorCode.NotEnoughReplicas, 3)]
    [InlineData(TransactionRequest.Produce, ErrorCode.KafkaStorageError, 3)]
    [InlineData(TransactionRequest.Produce, ErrorCode.Local_Transport, 2)]
    [InlineData(TransactionRequest.AddPartitionsToTxn, ErrorCode.GroupLoadInProgress, 3)]
    [InlineData(TransactionRequest.AddPartitionsToTxn, ErrorCode.NotCoordinatorForGroup, 3)]
    [InlineData(TransactionRequest.AddPartitionsToTxn, ErrorCode.ConcurrentTransactions, 3)]
    [InlineData(TransactionRequest.AddPartitionsToTxn, ErrorCode.Local_Transport, 2)]
    public void What_is_repeated_before_the_offsets_cannot_end_another_transaction(TransactionRequest request, ErrorCode error, int times)
    {
        scene.Refuse(request, error, times);
        scene.Produce("late");
        Assert.Equal(TransactionAnswer.Done, scene.Commit().Answer); // Its slowness is not looked at: sequence numbers keep records from coming twice.
        scene.CommitsTheNext();
    }

    [Fact]
    public void A_coordinator_that_loads_for_longer_than_the_bound_aborts_and_says_that_it_was_slow()
    {
        scene.Refuse(TransactionRequest.TxnOffsetCommit, ErrorCode.GroupLoadInProgress, times: 1_000);
        scene.Produce("given up");
        var (answer, _, tookTooLong) = scene.Commit();
        Assert.Equal(TransactionAnswer.Abort, answer);
        Assert.True(tookTooLong);
        scene.Broker.Take((short)TransactionRequest.TxnOffsetCommit);
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Fact]
    public void A_commit_that_runs_out_of_time_is_called_again_and_never_aborted_meanwhile()
    {
        scene.Broker.AnswerAfter(TimeSpan.FromMilliseconds(1_200)); // Longer than a call waits.
        scene.Produce("slow");
        var (answer, calls, tookTooLong) = scene.Commit();
        Assert.Equal(TransactionAnswer.Done, answer);
        Assert.True(calls > 2, $"{calls} calls");
        Assert.True(tookTooLong);
        Assert.DoesNotContain(nameof(IProducer<,>.AbortTransaction), scene.Producer.CallsOfTransaction);
        scene.Begin();
        scene.CommitsTheNext();
    }

    [Fact]
    public void While_a_commit_is_under_way_nothing_is_taken()
    {
        scene.Refuse(TransactionRequest.EndTxn, ErrorCode.GroupLoadInProgress, times: 1_000);
        scene.Produce("first");
        Assert.Equal(TransactionAnswer.CallAgain, scene.Output.Commit([new TopicPartitionOffset("in", 0, 1)], scene.Member, out _));
        Assert.False(scene.Output.TakesRecords);
        Assert.Throws<TransactionBroken>(() => scene.Produce("second"));
        scene.Broker.Take((short)TransactionRequest.EndTxn);
        Assert.Equal(TransactionAnswer.Done, scene.Commit().Answer);
        scene.CommitsTheNext();
    }

    [Fact]
    public void A_record_larger_than_the_client_takes_leaves_the_transaction_good()
    {
        scene.Produce("before");
        var failure = Assert.Throws<LaneFailure>(() => scene.Produce(new byte[3_000_000]));
        Assert.Equal(ExitCode.Internal, failure.ExitCode);
        Assert.Equal(1, scene.Output.InFlight);
        scene.CommitsTheNext();
    }

    [Fact]
    public void A_transaction_that_does_not_begin_asks_for_another_producer()
    {
        scene.Producer.FailingCall = nameof(IProducer<,>.BeginTransaction);
        Assert.Throws<TransactionBroken>(() => scene.Produce("never"));
        Assert.False(scene.Output.TryAbort());
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Theory]
    [InlineData(ErrorCode.TransactionalIdAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    [InlineData(ErrorCode.ClusterAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    [InlineData(ErrorCode.ProducerFenced, nameof(TransactionAnswer.Fenced))]
    public void No_producer_is_made_against_the_broker_s_will(ErrorCode error, string answer)
    {
        scene.Output.Replace();
        scene.Refuse(TransactionRequest.InitProducerId, error);
        KafkaException? thrown = null;
        for (int call = 0; thrown is null && call < 30; call++)
        {
            thrown = Record.Exception(() => scene.Output.TryInitialise(TimeSpan.FromSeconds(1))) as KafkaException;
            Assert.False(scene.Output.IsReady);
        }

        Assert.Equal(answer, TransactionErrors.OfInitialise(thrown!).ToString());
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Theory]
    [InlineData(ErrorCode.GroupLoadInProgress, 2)]
    [InlineData(ErrorCode.NotCoordinatorForGroup, 2)]
    [InlineData(ErrorCode.ConcurrentTransactions, 2)]
    [InlineData(ErrorCode.Local_Transport, 1)]
    public void A_producer_is_waited_for_while_the_one_before_is_ended(ErrorCode error, int times)
    {
        scene.Output.Replace();
        scene.Refuse(TransactionRequest.InitProducerId, error, times);
        scene.Replace();
        scene.CommitsTheNext();
    }
}
