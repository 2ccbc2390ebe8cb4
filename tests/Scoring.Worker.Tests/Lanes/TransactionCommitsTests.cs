using Confluent.Kafka;
using Scoring.Worker.Commands;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>What a lane does about the answers: goes on, takes back, looks, or ends with a code that says what to do.</summary>
[Collection("Kafka clients")]
public sealed class TransactionCommitsTests : IDisposable
{
    private readonly CommitScene scene = new();

    [Fact]
    public void Output_and_offsets_are_committed_together_and_the_state_is_kept()
    {
        scene.Process();
        scene.Process();
        scene.StepUntil(() => scene.Partition.RewindOffset == 2);
        Assert.Equal(0, scene.Partition.Rewinds);
        Assert.False(scene.Output.IsOpen);
    }

    [Fact]
    public void Whoever_is_no_owner_takes_back_and_goes_on_with_the_same_producer()
    {
        scene.Refuse(TransactionRequest.TxnOffsetCommit, ErrorCode.IllegalGeneration);
        IsTakenBackAndDoneAgain("aborted");
        Assert.Equal(0, scene.Replacements("abort"));
        Assert.True(scene.Replacements("slow") == 0 || scene.LongestStep > TransactionalOutput.GhostAfter);
    }

    [Fact]
    public void Labels_of_a_partition_that_leaves_are_taken_back_with_its_rows()
    {
        var labels = scene.Partition.Labels!;
        labels.ReceivedOffset = 5; // Applied, all of them.
        scene.Process();
        scene.Partition.Share.IsLeaving = true;
        scene.Commits.TakeBack("the test wants it");
        Assert.Equal((0, 0), (scene.Partition.Position, labels.Position));
    }

    [Fact]
    public void What_is_aborted_too_late_is_not_gone_on_with_by_the_same_producer()
    {
        scene.Refuse(TransactionRequest.TxnOffsetCommit, ErrorCode.GroupLoadInProgress, times: 1_000);
        double slow = 0;
        IsTakenBackAndDoneAgain("aborted", () =>
        {
            scene.Take(TransactionRequest.TxnOffsetCommit);
            slow = scene.Replacements("slow"); // What is done again may be slow by the machine.
        });
        Assert.Equal(1, slow);
    }

    [Fact]
    public void A_commit_that_may_have_been_asked_for_twice_is_the_producer_s_last()
    {
        scene.Refuse(TransactionRequest.EndTxn, ErrorCode.NotCoordinatorForGroup, times: 2);
        scene.Process();
        scene.StepUntil(() => scene.Partition.RewindOffset == 1);
        Assert.Equal(1, scene.Replacements("slow"));
        scene.Process();
        scene.StepUntil(() => scene.Partition.RewindOffset == 2);
        Assert.Equal(0, scene.Partition.Rewinds);
    }

    [Fact]
    public void What_may_be_committed_is_taken_back_when_the_group_does_not_have_it()
    {
        scene.Refuse(TransactionRequest.EndTxn, ErrorCode.Unknown);
        IsTakenBackAndDoneAgain("unknown");
        Assert.Equal(0, scene.Transactions("aborted"));
        Assert.Equal(1, scene.Replacements("unknown"));
    }

    [Fact]
    public void What_may_be_committed_is_kept_when_the_group_has_it()
    {
        scene.CommitBehindItsBack(1);
        scene.Refuse(TransactionRequest.EndTxn, ErrorCode.Unknown);
        scene.Process();
        var hash = scene.Partition.State.Hash();
        scene.StepUntil(() => scene.Partition.RewindOffset == 1);
        Assert.Equal(0, scene.Partition.Rewinds);
        Assert.Equal(hash, scene.Partition.State.Hash());
        Assert.Equal(1, scene.Transactions("unknown"));
        Assert.Equal(1, scene.Transactions("committed"));
    }

    [Fact]
    public void A_lane_that_finds_another_s_offset_ends()
    {
        scene.CommitBehindItsBack(7);
        scene.Refuse(TransactionRequest.EndTxn, ErrorCode.Unknown);
        scene.Process();
        var failure = Assert.Throws<LaneFailure>(() => scene.StepUntil(() => false));
        Assert.Equal(ExitCode.Unavailable, failure.ExitCode);
        Assert.Contains("committed to 7", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_partition_that_is_still_rebuilt_says_nothing_about_what_may_be_committed()
    {
        scene.TakeOver(committed: 2);
        scene.Refuse(TransactionRequest.EndTxn, ErrorCode.Unknown);
        IsTakenBackAndDoneAgain("unknown");
        Assert.Equal(0, scene.Rebuilding.Rewinds);
    }

    [Fact]
    public void A_partition_that_is_still_rebuilt_is_nothing_to_commit()
    {
        scene.TakeOver(committed: 2);
        scene.Process();
        scene.StepUntil(() => scene.Partition.RewindOffset == 1);
        scene.Clock.Advance(TimeSpan.FromSeconds(1));
        scene.Step();
        Assert.True(scene.Output.TakesRecords);
        Assert.Equal(1, scene.Transactions("committed"));
    }

    [Fact]
    public void A_commit_that_is_not_answered_within_its_bound_is_looked_for()
    {
        scene.Refuse(TransactionRequest.EndTxn, ErrorCode.GroupLoadInProgress, times: 1_000);
        scene.Process();
        scene.StepUntil(() => scene.Output.IsCommitting);
        scene.Clock.Advance(TimeSpan.FromSeconds(9));
        scene.StepUntil(() => scene.Transactions("unknown") == 1);
        scene.Take(TransactionRequest.EndTxn);
        scene.StepUntil(() => scene.Partition.Rewinds == 1);
        scene.Process();
        scene.StepUntil(() => scene.Partition.RewindOffset == 1);
    }

    [Fact]
    public void Three_fences_within_a_minute_end_the_lane_and_name_the_setting()
    {
        scene.Refuse(TransactionRequest.EndTxn, ErrorCode.ProducerFenced, times: 3);
        EndsFencedThreeTimes(scene.Process);
    }

    [Fact]
    public void Fences_that_a_record_is_told_count_too()
    {
        scene.Refuse(TransactionRequest.AddPartitionsToTxn, ErrorCode.ProducerFenced, times: 3);
        EndsFencedThreeTimes(() =>
        {
            scene.Process();
            scene.Commits.TakeBack(scene.ProduceUntilRefused().Message);
        });
    }

    [Fact]
    public void Fences_that_are_rare_are_lived_with()
    {
        for (int fence = 1; fence <= 4; fence++)
        {
            scene.Refuse(TransactionRequest.EndTxn, ErrorCode.ProducerFenced);
            scene.Process();
            scene.StepUntil(() => scene.Partition.Rewinds == fence);
            Assert.Equal(fence, scene.Metrics.Fences.Value);
            scene.Clock.Advance(TimeSpan.FromSeconds(31));
        }

        scene.Process();
        scene.StepUntil(() => scene.Partition.RewindOffset == 1);
    }

    [Fact]
    public void A_lane_that_is_stopped_again_and_again_is_not_taken_for_two()
    {
        for (int fence = 1; fence <= 4; fence++)
        {
            scene.Refuse(TransactionRequest.EndTxn, ErrorCode.ProducerFenced);
            scene.Process();
            scene.Clock.Advance(TimeSpan.FromSeconds(12)); // The broker has ended its transaction.
            scene.StepUntil(() => scene.Partition.Rewinds == fence);
            Assert.Equal(fence, scene.Metrics.Fences.Value);
        }

        scene.Process();
        scene.StepUntil(() => scene.Partition.RewindOffset == 1);
    }

    [Fact]
    public void A_missing_right_ends_the_lane_and_names_the_rights()
    {
        scene.Refuse(TransactionRequest.EndTxn, ErrorCode.TransactionalIdAuthorizationFailed);
        scene.Process();
        var failure = Assert.Throws<LaneFailure>(() => scene.StepUntil(() => false));
        Assert.Equal(ExitCode.Configuration, failure.ExitCode);
        Assert.Contains("WRITE on its transactional id", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, scene.Metrics.Fences.Value);
    }

    [Fact]
    public void A_missing_right_to_the_identifier_names_it_and_is_no_fence()
    {
        scene.Refuse(TransactionRequest.InitProducerId, ErrorCode.TransactionalIdAuthorizationFailed, times: 1_000);
        var failure = Assert.Throws<LaneFailure>(() => scene.StepUntil(() => false));
        Assert.Equal(ExitCode.Configuration, failure.ExitCode);
        Assert.Contains("group.worker.0", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Kafka:InstanceId", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_that_the_broker_finds_too_large_once_is_tried_again()
    {
        scene.Refuse(TransactionRequest.Produce, ErrorCode.MsgSizeTooLarge);
        IsTakenBackAndDoneAgain("aborted");
        Assert.Equal(1, scene.Transactions("aborted"));
        Assert.True(scene.Replacements("abort") == 1 || scene.LongestStep > TransactionalOutput.GhostAfter);
        Assert.True(scene.Replacements("slow") == 0 || scene.LongestStep > TransactionalOutput.GhostAfter);
    }

    [Fact]
    public void A_record_that_the_broker_finds_too_large_again_ends_the_lane()
    {
        scene.Refuse(TransactionRequest.Produce, ErrorCode.MsgSizeTooLarge, times: 2);
        scene.Process();
        scene.StepUntil(() => scene.Partition.Rewinds == 1);
        scene.Process();
        var failure = Assert.Throws<LaneFailure>(() => scene.StepUntil(() => false));
        Assert.Equal(ExitCode.Internal, failure.ExitCode);
        Assert.Contains("max.message.bytes", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_transaction_of_lost_partitions_is_taken_back()
    {
        scene.Process();
        var hash = scene.Partition.State.Hash();
        scene.Commits.TakeBack("partitions were lost");
        Assert.Equal(1, scene.Partition.Rewinds);
        Assert.NotEqual(hash, scene.Partition.State.Hash());
        scene.Process();
        scene.StepUntil(() => scene.Partition.RewindOffset == 1);
    }

    public void Dispose() => scene.Dispose();

    private void IsTakenBackAndDoneAgain(string outcome, Action? mend = null)
    {
        var hash = scene.Partition.State.Hash();
        scene.Process();
        scene.StepUntil(() => scene.Partition.Rewinds == 1);
        Assert.Equal(1, scene.Transactions(outcome));
        Assert.Equal(0, scene.Partition.Position);
        Assert.Equal(hash, scene.Partition.State.Hash());
        mend?.Invoke();
        scene.Process();
        scene.StepUntil(() => scene.Partition.RewindOffset == 1);
        Assert.Equal(1, scene.Partition.Rewinds);
        Assert.Equal(1, scene.Transactions("committed"));
    }

    private void EndsFencedThreeTimes(Action fenced)
    {
        var failure = Assert.Throws<LaneFailure>(() =>
        {
            for (int fence = 1; fence <= 3; fence++)
            {
                fenced();
                scene.StepUntil(() => scene.Partition.Rewinds == fence);
            }
        });
        Assert.Equal(ExitCode.Configuration, failure.ExitCode);
        Assert.Contains("Kafka:InstanceId", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, scene.Metrics.Fences.Value);
        Assert.Equal(2, scene.Partition.Rewinds);
    }
}
