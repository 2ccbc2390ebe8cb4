using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>How a worker ends when its topics are not as they must be.</summary>
public sealed class LaneEndTests(KafkaBroker broker, TestModel model)
{
    [Fact]
    public async Task A_lane_whose_scores_are_refused_ends_the_process_with_70_and_commits_nothing()
    {
        broker.SkipUnlessReal("it takes records of any size");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        await admin.IncrementalAlterConfigsAsync(new Dictionary<ConfigResource, List<ConfigEntry>>
        {
            [new ConfigResource { Type = ResourceType.Topic, Name = service.Topics["scores"] }] = [new ConfigEntry { Name = "max.message.bytes", Value = "100", IncrementalOperation = AlterConfigOpType.Set }],
        });
        await service.VerbAsync("replay", service.WriteHistory(200, seed: 41));
        await using var worker = Start(service);

        Assert.True(await worker.EndAsync() == ExitCode.Internal, worker.Printed);

        Assert.Contains("an output record was refused", worker.Printed, StringComparison.Ordinal);
        Assert.Equal(0, service.Count("scores"));
        using var group = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = broker.BootstrapServers, GroupId = service.Topics.Prefix }).Build();
        var committed = group.Committed([.. Enumerable.Range(0, 2).Select(partition => new TopicPartition(service.Topics["in"], partition))], TimeSpan.FromSeconds(10));
        Assert.All(committed, position => Assert.True(position.Offset == Offset.Unset || position.Offset == 0, $"{position} is committed"));
    }

    [Fact]
    public async Task A_topic_that_is_not_there_is_a_matter_of_configuration()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        string missing = service.Topics["alerts"] + "-of-nobody";
        await File.WriteAllTextAsync(service.DefinitionPath, (await File.ReadAllTextAsync(service.DefinitionPath, TestContext.Current.CancellationToken)).Replace(service.Topics["alerts"], missing, StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await using var worker = Start(service);

        Assert.True(await worker.EndAsync() == ExitCode.Configuration, worker.Printed);

        Assert.Contains($"topic {missing} is not there", worker.Printed, StringComparison.Ordinal);
    }

    private OwnProgram Start(TestService service) => OwnProgram.StartWorker(
        ["run", "--definition", service.DefinitionPath, .. service.ModelArguments, "--bootstrap-servers", broker.BootstrapServers, .. broker.DeliveryArguments, "--group", service.Topics.Prefix, "--http", "127.0.0.1:0", "--lanes", "2"]);
}
