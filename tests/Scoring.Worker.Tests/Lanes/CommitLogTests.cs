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
    [Fact]
    public void Offsets_are_committed_only_once_the_output_before_them_is_acknowledged()
    {
        using var broker = EmbeddedBroker.Start();
        broker.CreateTopic("out", 1);
        var clients = new KafkaClients(new KafkaOptions { BootstrapServers = broker.BootstrapServers }, "group", NullLogger.Instance);
        using var output = new LaneOutput(clients.Producer(), inFlightMax: 1_000);
        var committed = new List<long>();
        long position = 0;
        var log = new CommitLog(output, offsets => committed.Add(offsets[0].Offset.Value), TimeProvider.System, TimeSpan.Zero, 0, new WorkerMetrics(Metrics.NewCustomRegistry()), NullLogger.Instance);

        for (int i = 1; i <= 200; i++)
        {
            output.Produce(new TopicPartition("out", 0), [], [1, 2, 3], hasKey: false);
            position = i;
            int inFlightBefore = output.InFlight;
            int commitsBefore = committed.Count;
            log.Step(TimeProvider.System.GetTimestamp(), () => [new TopicPartitionOffset("in", 0, position)]);
            if (committed.Count > commitsBefore)
            {
                Assert.True(committed[^1] <= i - inFlightBefore + 1, $"committed {committed[^1]} with {inFlightBefore} of {i} not acknowledged");
            }

            output.Poll(TimeSpan.FromMilliseconds(1));
        }

        Assert.True(log.Finish(() => [new TopicPartitionOffset("in", 0, position)], TimeSpan.FromSeconds(20)));
        Assert.Equal(200, committed[^1]);
        Assert.Equal(0, output.InFlight);
        Assert.Equal(committed.Order(), committed);
    }
}
