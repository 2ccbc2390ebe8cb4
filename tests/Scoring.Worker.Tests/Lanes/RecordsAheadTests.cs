using Confluent.Kafka;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>Records that are sent before the commit of their transaction.</summary>
[Collection("Kafka clients")]
public sealed class RecordsAheadTests : IDisposable
{
    private readonly TransactionScene scene = new();

    [Fact]
    public void They_are_sent_once_in_a_transaction_and_the_rest_with_its_commit()
    {
        scene.Produce("ahead");
        SendAhead();
        Assert.Equal(1, scene.Written(0));
        scene.Produce("with the commit");
        for (int again = 0; again < 20; again++)
        {
            scene.Output.SendAhead();
        }

        Assert.Equal(1, scene.Written(0));
        Assert.Equal(TransactionAnswer.Done, scene.Commit().Answer);
        Assert.Equal(2, scene.Written(0));
        scene.Produce("ahead again");
        SendAhead();
        Assert.Equal(3, scene.Written(0));
        Assert.Equal(TransactionAnswer.Done, scene.Commit().Answer);
        scene.CommitsTheNext();
    }

    [Fact]
    public void Nothing_is_sent_ahead_outside_of_a_transaction()
    {
        scene.Output.SendAhead();
        Assert.DoesNotContain(nameof(IProducer<,>.Flush), scene.Producer.CallsOfTransaction);
    }

    [Fact]
    public void They_are_taken_back_with_the_others()
    {
        scene.Produce("ahead");
        SendAhead();
        scene.Produce("after it");
        scene.Aborts();
        Assert.Equal(2, scene.Written(0)); // The one after it was sent, too, before the abort: see TransactionalOutput.TryAbort.
        scene.CommitsTheNext();
    }

    [Theory]
    [InlineData(ErrorCode.MsgSizeTooLarge, nameof(TransactionAnswer.AbortTooLarge))]
    [InlineData(ErrorCode.TopicAuthorizationFailed, nameof(TransactionAnswer.Stop))]
    public void One_that_is_refused_ends_the_commit_before_the_end_is_asked_for(ErrorCode error, string answer)
    {
        RefuseAhead(error);
        Assert.Equal(answer, scene.Commit().Answer.ToString());
        Assert.DoesNotContain(nameof(IProducer<,>.CommitTransaction), scene.Producer.CallsOfTransaction);
        scene.Output.GiveUpCommit();
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Fact]
    public void After_one_that_is_refused_the_next_says_why_and_the_producer_is_not_gone_on_with()
    {
        RefuseAhead(ErrorCode.MsgSizeTooLarge);
        var broken = Assert.Throws<TransactionBroken>(() => scene.Produce("next"));
        Assert.Contains("too large", broken.Message, StringComparison.OrdinalIgnoreCase);
        Assert.False(scene.Output.TryAbort());
        scene.Replace();
        scene.CommitsTheNext();
    }

    [Fact]
    public void One_that_is_refused_when_it_is_taken_back_takes_the_producer_with_it()
    {
        scene.Refuse(TransactionRequest.Produce, ErrorCode.MsgSizeTooLarge);
        scene.Produce("never sent before");
        Assert.False(scene.Output.TryAbort());
        scene.Replace();
        scene.CommitsTheNext();
    }

    public void Dispose() => scene.Dispose();

    private void SendAhead()
    {
        long before = scene.Written(0);
        for (long started = TimeProvider.System.GetTimestamp(); scene.Written(0) == before;)
        {
            scene.Output.SendAhead();
            scene.Output.Poll(TimeSpan.FromMilliseconds(1));
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TransactionScene.Patience, "nothing is sent ahead");
        }
    }

    private void RefuseAhead(ErrorCode error)
    {
        scene.Refuse(TransactionRequest.Produce, error);
        scene.Produce("ahead");
        var client = (IProducer<byte[], byte[]>)(object)scene.Producer;
        do
        {
            Assert.True(scene.Output.OpenFor < TransactionScene.Patience, "the record is not answered");
            scene.Output.SendAhead();
            scene.Output.Poll(TimeSpan.FromMilliseconds(1));
        }
        while (client.Flush(TimeSpan.Zero) > 0);
    }
}
