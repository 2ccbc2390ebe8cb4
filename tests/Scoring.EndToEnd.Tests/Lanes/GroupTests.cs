using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>What becomes of records when groups, partitions and workers change.</summary>
public sealed class GroupTests(KafkaBroker broker, TestModel model)
{
    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token).Token;

    [Fact]
    public async Task A_trial_group_does_not_start_on_the_topics_of_the_living_one()
    {
        using var service = await TestService.NamedAsync(broker, "inhabited", partitionCount: 2);
        await service.VerbAsync("replay", service.WriteHistory(200, seed: 11));
        await using (var living = new WorkerRun(service, group: null))
        {
            service.Read("scores", records => records.Count == 200, Bound);
            Assert.Equal(ExitCode.Ok, await living.StopAsync());
        }

        long told = service.Count("aggregates");
        var (exitCode, _, error) = await service.TryVerbAsync(["run", "--group", "trial", .. service.ModelArguments, "--http", "127.0.0.1:0"]);
        Assert.Equal(ExitCode.Configuration, exitCode);
        Assert.Contains("group fraud.inhabited lives on", Assert.Single(error.Trim().Split('\n')), StringComparison.Ordinal);
        Assert.Equal(told, service.Count("aggregates"));
        Assert.True(told > 0);
    }

    [Fact]
    public async Task A_worker_that_joins_under_load_repeats_nothing()
    {
        broker.SkipUnlessReal("it takes no commits for seconds while a group rebalances");
        using var service = await TestService.WithoutMemoryAsync(broker, partitionCount: 4);
        using var load = new Load(service);
        await using var first = new WorkerRun(service, "shared", lanes: 1);
        await first.ReadyAsync(Bound);
        await using (var second = new WorkerRun(service, "shared", lanes: 1))
        {
            var taking = second.MetricsAsync(page => page.Sum("fraudscoring_events_scored_total") > 0, Bound);
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
            while (await tick.WaitForNextTickAsync(Bound) && !taking.IsCompleted)
            {
                if (load.Sent - service.Count("scores") < 5_000) // Never far ahead.
                {
                    load.Send(2_500); // Until the group has moved partitions, so that it moves them in the midst of batches.
                }
            }

            await taking;
            while (service.Count("scores") < load.Sent)
            {
                await tick.WaitForNextTickAsync(Bound);
            }

            Assert.Equal(ExitCode.Ok, await second.StopAsync());
        }

        Assert.Equal(ExitCode.Ok, await first.StopAsync());
        Assert.Equal(load.Sent, service.Count("scores"));
    }

    [Fact]
    public async Task Partitions_added_under_a_running_worker_end_it_with_one_line()
    {
        broker.SkipUnlessReal("it adds no partitions");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        await using var worker = Start(service, "--group", "grown", "--set", "Kafka:Client:topic.metadata.refresh.interval.ms=500");
        await UntilPrintedAsync(worker, "owns partition 1");
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build())
        {
            await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = service.Topics["in"], IncreaseTo = 3 }]);
        }

        Assert.Equal(ExitCode.Configuration, await worker.EndAsync());
        Assert.Contains("has 3 partitions, it had 2", worker.Printed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_retention_took_is_counted_and_the_rest_is_scored(bool remembers)
    {
        broker.SkipUnlessReal("it deletes no records");
        using var service = remembers ? await TestService.CreateAsync(broker, model, partitionCount: 2) : await TestService.WithoutMemoryAsync(broker, partitionCount: 2);
        using var load = new Load(service);
        load.Send(100);
        await using (var first = new WorkerRun(service, "gap"))
        {
            service.Read("scores", records => records.Count == 100, Bound);
            Assert.Equal(ExitCode.Ok, await first.StopAsync());
        }

        load.Send(400);
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build())
        {
            await admin.DeleteRecordsAsync([new TopicPartitionOffset(service.Topics["in"], 0, 80), new TopicPartitionOffset(service.Topics["in"], 1, 80)]);
        }

        await using var second = new WorkerRun(service, "gap", from: "latest");
        service.Read("scores", records => records.Count == 100 + (2 * (250 - 80)), Bound);
        await second.MetricsAsync(page => page.Sum("fraudscoring_input_gap_records_total") == 2 * (80 - 50), Bound);
        Assert.Equal(ExitCode.Ok, await second.StopAsync());
        Assert.Equal(100 + (2 * (250 - 80)), service.Count("scores"));
    }

    [Fact]
    public async Task What_retention_takes_from_under_a_reader_is_counted_be_it_little()
    {
        broker.SkipUnlessReal("it deletes no records");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var load = new Load(service);
        load.Send(100);
        await using var worker = Start(service, "--group", "under");
        service.Read("scores", records => records.Count == 100, Bound);
        await worker.SignalAsync("STOP");
        await Task.Delay(TimeSpan.FromMilliseconds(500), Bound); // What it has asked for last is answered: empty.
        load.Send(200);
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build())
        {
            await admin.DeleteRecordsAsync([new TopicPartitionOffset(service.Topics["in"], 0, 80), new TopicPartitionOffset(service.Topics["in"], 1, 51)]);
        }

        await worker.SignalAsync("CONT");
        await UntilPrintedAsync(worker, "Input of partition 0 is gone from offset 50 to 80");
        await UntilPrintedAsync(worker, "Input of partition 1 is gone from offset 50 to 51");
        service.Read("scores", records => records.Count == 300 - 30 - 1, Bound);
        Assert.Equal(ExitCode.Ok, await worker.TerminateAsync());
        Assert.Equal(300 - 30 - 1, service.Count("scores"));
    }

    [Fact]
    public async Task A_topic_made_anew_under_a_running_worker_ends_it()
    {
        broker.SkipUnlessReal("it deletes no topics");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var load = new Load(service);
        load.Send(200);
        await using var worker = Start(service, "--group", "anew");
        service.Read("scores", records => records.Count == 200, Bound);
        await broker.MakeAnewAsync(service.Topics["in"], partitionCount: 2, Bound);
        load.Send(40);
        Assert.Equal(ExitCode.Configuration, await worker.EndAsync().WaitAsync(Bound));
        Assert.Contains("was made anew", worker.Printed, StringComparison.Ordinal);
        Assert.Equal(200, service.Count("scores"));
    }

    [Fact]
    public async Task Labels_of_a_topic_made_anew_under_a_running_worker_are_read_from_the_first_on()
    {
        broker.SkipUnlessReal("it deletes no topics");
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        using var load = new Load(service);
        load.Send(200);
        await using var worker = Start(service, "--group", "labels-anew");
        service.Read("scores", records => records.Count == 200, Bound);
        await service.RefuseLabelsAsync(partition: 1, count: 3, Bound);
        service.Read("dlq", records => records.Count == 3, Bound);
        await broker.MakeAnewAsync(service.Topics["labels"], partitionCount: 2, Bound);
        await service.RefuseLabelsAsync(partition: 1, count: 2, Bound);
        service.Read("dlq", records => records.Count == 5, Bound);
        load.Send(40);
        service.Read("scores", records => records.Count == 240, Bound);
        Assert.Equal(ExitCode.Ok, await worker.TerminateAsync());
        Assert.Contains("made anew or cut", worker.Printed, StringComparison.Ordinal);
        Assert.Equal((240, 5), (service.Count("scores"), service.Count("dlq")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_group_from_the_end_that_dies_at_once_goes_on_where_it_began(bool remembers)
    {
        using var service = remembers ? await TestService.CreateAsync(broker, model, partitionCount: 2) : await TestService.WithoutMemoryAsync(broker, partitionCount: 2);
        using var load = new Load(service);
        load.Send(1_000);
        await using (var victim = Start(service, "--group", "died", "--from", "latest"))
        {
            await UntilPrintedAsync(victim, "owns partition 1");
            await victim.KillAsync();
        }

        load.Send(200);
        await using var successor = new WorkerRun(service, "died", from: "latest");
        service.Read("scores", records => records.Count == 200, Bound);
        Assert.Equal(ExitCode.Ok, await successor.StopAsync());
        Assert.Equal(200, service.Count("scores"));
    }

    private static OwnProgram Start(TestService service, params string[] arguments) => OwnProgram.StartWorker(
        ["run", "--definition", service.DefinitionPath, "--bootstrap-servers", service.Broker.BootstrapServers, .. service.Broker.DeliveryArguments, .. service.ModelArguments, "--http", "127.0.0.1:0", "--lanes", "1", .. arguments]);

    private static async Task UntilPrintedAsync(OwnProgram program, string text)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!program.Printed.Contains(text, StringComparison.Ordinal))
        {
            Assert.False(program.HasEnded, program.Printed);
            await timer.WaitForNextTickAsync(Bound);
        }
    }
}
