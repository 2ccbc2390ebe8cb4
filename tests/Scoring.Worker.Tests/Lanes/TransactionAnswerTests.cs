using Confluent.Kafka;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>What no broker can be made to say at will: the answers to errors as such.</summary>
public sealed class TransactionAnswerTests
{
    [Fact]
    public void Only_the_end_itself_leaves_it_open_whether_it_was_reached()
    {
        foreach (var code in Enum.GetValues<ErrorCode>())
        {
            var error = new Error(code, "reason");
            Assert.NotEqual(TransactionAnswer.Unknown, TransactionErrors.OfOffsets(new KafkaTxnRequiresAbortException(error)));
            Assert.NotEqual(TransactionAnswer.Unknown, TransactionErrors.OfProduce(error));
            foreach (var thrown in new[] { new KafkaTxnRequiresAbortException(error), new KafkaException(error) })
            {
                Assert.DoesNotContain(TransactionErrors.OfCommit(thrown), new[] { TransactionAnswer.Done, TransactionAnswer.CallAgain, TransactionAnswer.Abort, TransactionAnswer.AbortNotOwner });
            }
        }
    }

    [Fact]
    public void What_the_client_would_repeat_is_called_again()
    {
        var late = new KafkaRetriableException(new Error(ErrorCode.Local_TimedOut, "reason"));
        Assert.Equal(TransactionAnswer.CallAgain, TransactionErrors.OfOffsets(late));
        Assert.Equal(TransactionAnswer.CallAgain, TransactionErrors.OfCommit(late));
    }

    [Fact]
    public void Whatever_is_fatal_and_no_matter_of_rights_is_a_fence()
    {
        ErrorCode[] rights = [ErrorCode.GroupAuthorizationFailed, ErrorCode.TopicAuthorizationFailed, ErrorCode.TransactionalIdAuthorizationFailed, ErrorCode.ClusterAuthorizationFailed];
        foreach (var code in Enum.GetValues<ErrorCode>())
        {
            var fatal = new Error(code, "reason", isFatal: true);
            var answer = rights.Contains(code) ? TransactionAnswer.Stop : TransactionAnswer.Fenced;
            Assert.Equal(answer, TransactionErrors.OfInitialise(new KafkaException(fatal)));
            Assert.Equal(answer, TransactionErrors.OfOffsets(new KafkaException(fatal)));
            Assert.Equal(answer, TransactionErrors.OfCommit(new KafkaException(fatal)));
            Assert.Equal(answer, TransactionErrors.OfProduce(fatal));
        }
    }
}
