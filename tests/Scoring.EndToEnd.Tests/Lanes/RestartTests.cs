using Confluent.Kafka;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>What a worker that starts takes for answered: what was, and nothing that stands elsewhere under the same number.</summary>
public sealed class RestartTests(KafkaBroker broker, TestModel model)
{
    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token).Token;

    [Fact]
    public async Task Refused_labels_get_no_second_dead_letter_where_the_broker_has_forgotten_how_far_the_group_is()
    {
        broker.SkipUnlessReal("it keeps no state between workers");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var load = new Load(service);
        load.Send(200);
        await using (var first = Start(service, service.DefinitionPath))
        {
            service.Read("scores", records => records.Count == 200, Bound);
            await service.RefuseLabelsAsync(partition: 1, count: 3, Bound);
            service.Read("dlq", records => records.Count == 3, Bound);
            await first.KillAsync(); // Before its state is copied once more: the last copy is of before these labels.
        }

        using var admin = Admin();
        await admin.DeleteConsumerGroupOffsetsAsync(service.Topics.Prefix, [Labels(service)]); // As it does by itself after offsets.retention.minutes: nobody is subscribed to the topic.
        await using var second = new WorkerRun(service, service.Topics.Prefix);
        await service.RefuseLabelsAsync(partition: 1, count: 1, Bound);
        service.Read("dlq", records => records.Count == 4, Bound);
        Assert.Equal(ExitCode.Ok, await second.StopAsync());
        Assert.Equal(4, service.Count("dlq"));
    }

    [Fact]
    public async Task How_far_the_labels_are_goes_with_every_commit_so_that_the_broker_does_not_forget_it()
    {
        broker.SkipUnlessReal("it keeps no offsets of Kafka transactions");
        using var service = await RunAsync(service => service.RefuseLabelsAsync(partition: 1, count: 3, Bound), deadLetters: 3);
        await using var second = new WorkerRun(service, service.Topics.Prefix);
        await second.ReadyAsync(Bound);
        using var admin = Admin();
        await admin.DeleteConsumerGroupOffsetsAsync(service.Topics.Prefix, [Labels(service)]);
        using var load = new Load(service);
        load.Send(10);
        await UntilCommittedAsync(service, offset => offset == 3);
        Assert.Equal(ExitCode.Ok, await second.StopAsync());
    }

    [Fact]
    public async Task Refused_labels_of_a_topic_made_anew_get_their_dead_letters_from_the_next_worker()
    {
        broker.SkipUnlessReal("it deletes no topics");
        using var service = await RunAsync(
            async service =>
            {
                await service.RefuseLabelsAsync(partition: 1, count: 3, Bound);
                service.Read("dlq", records => records.Count == 3, Bound);
                await broker.MakeAnewAsync(service.Topics["labels"], partitionCount: 2, Bound);
                await service.SendAsync("labels", partition: 1, ["""{"label_id":"l-1","transaction_id":"l-1","account_id":"a-1","is_fraud":true,"source":"chargeback","occurred_at":"2025-03-02T00:00:00Z","reported_at":"2025-03-02T00:00:00Z"}"""], Bound); // Waits for the day to come.
                await service.RefuseLabelsAsync(partition: 1, count: 1, Bound);
                await UntilCommittedAsync(service, offset => offset == 0);
            },
            deadLetters: 3);
        await service.SendAsync("in", partition: 1, ["""{"transaction_id":"later","event_time":"2025-03-03T00:00:00Z","amount_minor":1,"currency":"EUR","account_id":"a-1","merchant_id":"m-1"}"""], Bound);
        await using var second = new WorkerRun(service, service.Topics.Prefix);
        service.Read("dlq", records => records.Count == 4, Bound);
        service.Read("scores", records => records.Count == 201, Bound);
        Assert.Equal(ExitCode.Ok, await second.StopAsync());
        Assert.Equal((201, 4), (service.Count("scores"), service.Count("dlq")));
    }

    [Fact]
    public async Task A_definition_that_names_another_topic_of_transactions_is_refused()
    {
        broker.SkipUnlessReal("it keeps no state between workers");
        using var service = await RunAsync(_ => Task.CompletedTask, deadLetters: 0);
        var others = await broker.CreateTopicsAsync("others", partitionCount: 2, "in");
        await using var second = Start(service, Renamed(service, "in", others["in"]));
        Assert.Equal(ExitCode.Configuration, await second.EndAsync().WaitAsync(Bound));
        Assert.Contains($"of transactions of {service.Topics["in"]}", second.Printed, StringComparison.Ordinal);
        Assert.Equal(200, service.Count("scores"));
    }

    [Fact]
    public async Task A_definition_that_names_another_topic_of_labels_has_its_state_made_anew_and_its_labels_answered()
    {
        broker.SkipUnlessReal("it keeps no state between workers");
        using var service = await RunAsync(service => service.RefuseLabelsAsync(partition: 1, count: 3, Bound), deadLetters: 3);
        var others = await broker.CreateTopicsAsync("others", partitionCount: 2, "labels");
        await using var second = Start(service, Renamed(service, "labels", others["labels"]));
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = broker.BootstrapServers }).Build();
        await producer.ProduceAsync(new TopicPartition(others["labels"], 1), new Message<Null, byte[]> { Value = "{"u8.ToArray() }, Bound);
        service.Read("dlq", records => records.Count == 4, Bound);
        Assert.Equal(ExitCode.Ok, await second.TerminateAsync());
        Assert.Contains($"labels of {service.Topics["labels"]}", second.Printed, StringComparison.Ordinal);
        Assert.Equal((200, 4), (service.Count("scores"), service.Count("dlq")));
    }

    /// <summary>A service whose first worker has answered 200 transactions and is gone.</summary>
    private async Task<TestService> RunAsync(Func<TestService, Task> then, int deadLetters)
    {
        var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var load = new Load(service);
        load.Send(200);
        await using var first = new WorkerRun(service, service.Topics.Prefix);
        service.Read("scores", records => records.Count == 200, Bound);
        await then(service);
        service.Read("dlq", records => records.Count == deadLetters, Bound);
        Assert.Equal(ExitCode.Ok, await first.StopAsync());
        return service;
    }

    private async Task UntilCommittedAsync(TestService service, Predicate<long> isWanted)
    {
        using var admin = Admin();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var bound = Bound;
        long offset;
        do
        {
            await timer.WaitForNextTickAsync(bound);
            var told = await admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(service.Topics.Prefix, [Labels(service)])]);
            offset = told[0].Partitions[0].Offset.Value;
        }
        while (!isWanted(offset));
    }

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();

    private static TopicPartition Labels(TestService service) => new(service.Topics["labels"], 1);

    private static string Renamed(TestService service, string name, string topic) =>
        service.WriteDefinition("renamed.json", definition => definition.Replace($"\"{service.Topics[name]}\"", $"\"{topic}\"", StringComparison.Ordinal));

    private static OwnProgram Start(TestService service, string definition) => OwnProgram.StartWorker(
        ["run", "--definition", definition, "--bootstrap-servers", service.Broker.BootstrapServers, .. service.Broker.DeliveryArguments, .. service.ModelArguments, "--http", "127.0.0.1:0", "--lanes", "1", "--group", service.Topics.Prefix]);
}
