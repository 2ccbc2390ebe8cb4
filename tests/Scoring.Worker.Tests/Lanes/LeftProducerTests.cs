using Confluent.Kafka;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>A producer is not disposed of while partitions may be joining its transaction: librdkafka 2.16 then ends the process now and then (docs/decisions/0027).</summary>
[Collection("Kafka clients")]
public sealed class LeftProducerTests : IDisposable
{
    private static readonly string[] AbortedThenDisposed = [nameof(IProducer<,>.AbortTransaction), nameof(IDisposable.Dispose)];

    private readonly TransactionScene scene = new();

    public LeftProducerTests() => scene.CommitsTheNext(); // So that the client knows the topic, and its partitions join at once.

    [Fact]
    public void One_that_is_replaced_in_its_transaction_aborts_it_first()
    {
        scene.Produce("open");
        var left = scene.Producer;
        scene.Replace();
        Assert.Equal(AbortedThenDisposed, left.CallsOfTransaction.TakeLast(2));
        scene.CommitsTheNext();
    }

    [Fact]
    public void One_whose_lane_ends_in_its_transaction_aborts_it_first()
    {
        scene.Produce("open");
        scene.Output.Dispose();
        Assert.Equal(AbortedThenDisposed, scene.Producer.CallsOfTransaction.TakeLast(2));
    }

    [Fact]
    public void One_that_cannot_abort_is_disposed_of_all_the_same()
    {
        scene.Produce("open");
        var left = scene.Producer;
        left.FailingCall = nameof(IProducer<,>.AbortTransaction);
        scene.Replace();
        Assert.Equal(AbortedThenDisposed, left.CallsOfTransaction.TakeLast(2));
        scene.CommitsTheNext();
    }

    [Fact]
    public void One_whose_transaction_has_ended_aborts_nothing()
    {
        var left = scene.Producer;
        scene.Replace();
        Assert.DoesNotContain(nameof(IProducer<,>.AbortTransaction), left.CallsOfTransaction);
    }

    [Fact]
    public void One_that_was_asked_to_commit_is_not_asked_to_abort()
    {
        scene.Refuse(TransactionRequest.EndTxn, ErrorCode.ProducerFenced);
        scene.Produce("ending");
        Assert.Equal(TransactionAnswer.Fenced, scene.Commit().Answer);
        var left = scene.Producer;
        scene.Replace();
        Assert.DoesNotContain(nameof(IProducer<,>.AbortTransaction), left.CallsOfTransaction);
        scene.CommitsTheNext();
    }

    public void Dispose() => scene.Dispose();
}
