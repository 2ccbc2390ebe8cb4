using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Scoring.Worker.Configuration;
using Scoring.Worker.Demo;
using Scoring.Worker.Kafka;
using Scoring.Worker.Lanes;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>Offsets behind acknowledged output, never before it: with a real producer against the embedded broker.</summary>
[Collection("Kafka clients")]
public sealed class CommitLogTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void Offsets_are_committed_only_once_the_output_before_them_is_acknowledged()
    {
        using var broker = EmbeddedBroker.Start();
        broker.CreateTopic("out", 1);
        using var output = new AcknowledgedOutput(Clients(broker), inFlightMax: 1_000, TimeProvider.System);
        var committed = new List<long>();
        long position = 0;
        int acknowledged = 0;
        var log = Log(output, offsets =>
        {
            Assert.True(offsets[0].Offset.Value <= acknowledged, $"{offsets[0].Offset.Value} is committed, {acknowledged} are acknowledged");
            committed.Add(offsets[0].Offset.Value);
            return Task.CompletedTask;
        });

        for (int i = 1; i <= 200; i++)
        {
            output.Produce(new TopicPartition("out", 0), [], [1, 2, 3], hasKey: false);
            position = i;
            acknowledged = i - output.InFlight;
            log.Step(TimeProvider.System.GetTimestamp(), isBusy: false, () => [new TopicPartitionOffset("in", 0, position)]);
            output.Poll(TimeSpan.FromMilliseconds(1));
        }

        // A slow broker has acknowledged nothing yet: a step commits as soon as it has.
        for (long started = TimeProvider.System.GetTimestamp(); committed.Count == 0 && TimeProvider.System.GetElapsedTime(started) < Patience;)
        {
            output.Poll(TimeSpan.FromMilliseconds(1));
            acknowledged = 200 - output.InFlight;
            log.Step(TimeProvider.System.GetTimestamp(), isBusy: false, () => [new TopicPartitionOffset("in", 0, position)]);
        }

        Assert.InRange(committed.Count, 1, 200);
        acknowledged = 200;
        Assert.True(log.Finish(() => [new TopicPartitionOffset("in", 0, position)], Patience));
        Assert.Equal(200, committed[^1]);
        Assert.Equal(0, output.InFlight);
        Assert.Equal(committed.Order(), committed);
    }

    [Fact]
    public void To_finish_is_to_have_committed()
    {
        using var broker = EmbeddedBroker.Start();
        using var output = new AcknowledgedOutput(Clients(broker), inFlightMax: 1_000, TimeProvider.System);
        var answer = Task.FromException(new KafkaException(ErrorCode.IllegalGeneration));
        var log = Log(output, _ => answer);
        Assert.False(log.Finish(() => [new TopicPartitionOffset("in", 0, 7)], Patience));

        answer = Task.CompletedTask;
        Assert.True(log.Finish(() => [new TopicPartitionOffset("in", 0, 7)], Patience));
    }

    [Fact]
    public void A_coordinator_that_does_not_answer_holds_nobody_up()
    {
        using var broker = EmbeddedBroker.Start();
        using var output = new AcknowledgedOutput(Clients(broker), inFlightMax: 1_000, TimeProvider.System);
        var answer = new TaskCompletionSource();
        int commits = 0;
        var log = Log(output, _ =>
        {
            commits++;
            return answer.Task;
        });
        for (int i = 1; i <= 10; i++)
        {
            log.Step(TimeProvider.System.GetTimestamp(), isBusy: false, () => [new TopicPartitionOffset("in", 0, i)]);
        }

        Assert.Equal(1, commits);
        Assert.False(log.Finish(() => [new TopicPartitionOffset("in", 0, 10)], TimeSpan.FromMilliseconds(1)));
        answer.SetResult();
        Assert.True(log.Finish(() => [new TopicPartitionOffset("in", 0, 10)], Patience));
        Assert.Equal(2, commits);
    }

    private static KafkaClients Clients(EmbeddedBroker broker) =>
        new(new KafkaOptions { BootstrapServers = broker.BootstrapServers }, "group", NullLogger.Instance);

    private static CommitLog Log(AcknowledgedOutput output, Func<IReadOnlyList<TopicPartitionOffset>, Task> commit) =>
        new(output, commit, TimeProvider.System, TimeSpan.Zero, 0, new WorkerMetrics(Metrics.NewCustomRegistry()), NullLogger.Instance);
}
