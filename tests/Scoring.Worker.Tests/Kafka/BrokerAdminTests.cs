using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;
using Scoring.Worker.Demo;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Tests.Kafka;

/// <summary>Questions whose answer decides what is removed or begun anew: told, or refused, never guessed.</summary>
[Collection("Kafka clients")]
public sealed class BrokerAdminTests
{
    private const short OffsetFetch = 9;

    private const short UnstableOffsetCommit = 88;

    [Fact]
    public void A_group_is_new_until_it_has_committed()
    {
        using var broker = EmbeddedBroker.Start();
        broker.CreateTopic("in", 2);
        var clients = Clients(broker.BootstrapServers);
        using var admin = new BrokerAdmin(clients, broker.BootstrapServers, TimeSpan.FromSeconds(20), TimeProvider.System);
        Assert.True(admin.IsNewGroup("group", "in", [0, 1]));

        using var member = clients.GroupReader<Ignore, Ignore>(0).Build();
        member.Commit([new TopicPartitionOffset("in", 1, 7)]);
        Assert.False(admin.IsNewGroup("group", "in", [0, 1]));
        Assert.True(admin.IsNewGroup("another", "in", [0, 1]));
    }

    /// <summary>As a broker does that has just started. The admin client's own call for it ends the process with SIGSEGV there.</summary>
    [Fact]
    public void A_broker_that_does_not_coordinate_the_group_is_asked_again()
    {
        using var broker = EmbeddedBroker.Start();
        broker.CreateTopic("in", 1);
        var clients = Clients(broker.BootstrapServers);
        using var member = clients.GroupReader<Ignore, Ignore>(0).Build();
        member.Commit([new TopicPartitionOffset("in", 0, 7)]);
        using var admin = new BrokerAdmin(clients, broker.BootstrapServers, TimeSpan.FromSeconds(20), TimeProvider.System);
        broker.Refuse(OffsetFetch, (int)ErrorCode.NotCoordinatorForGroup, times: 3);
        Assert.False(admin.IsNewGroup("group", "in", [0]));
    }

    [Fact]
    public void A_broker_that_will_not_empty_a_topic_is_told_from_one_that_does_not_answer()
    {
        var broker = EmbeddedBroker.Start();
        broker.CreateTopic("state", 1);
        using var admin = new BrokerAdmin(Clients(broker.BootstrapServers), broker.BootstrapServers, TimeSpan.FromSeconds(2), TimeProvider.System);
        var before = new Dictionary<int, long> { [0] = 1 };
        Assert.False(admin.TryEmpty("state", before)); // This one does not know the request.
        broker.Dispose();
        var failure = Assert.Throws<CommandFailure>(() => admin.TryEmpty("state", before));
        Assert.Equal(ExitCode.Unavailable, failure.ExitCode);
    }

    [Fact]
    public void Without_an_answer_no_group_is_new()
    {
        var broker = EmbeddedBroker.Start();
        var clients = Clients(broker.BootstrapServers);
        using var admin = new BrokerAdmin(clients, broker.BootstrapServers, TimeSpan.FromSeconds(1), TimeProvider.System);
        broker.Dispose();
        var failure = Assert.Throws<CommandFailure>(() => admin.IsNewGroup("group", "in", [0]));
        Assert.Equal(ExitCode.Unavailable, failure.ExitCode);
    }

    /// <summary>As a broker does that has left a transaction open. Whoever reads the line at night looks for that, not for an address.</summary>
    [Fact]
    public void A_group_that_does_not_tell_while_its_broker_answers_is_named()
    {
        using var broker = EmbeddedBroker.Start();
        broker.CreateTopic("in", 1);
        using var admin = new BrokerAdmin(Clients(broker.BootstrapServers), broker.BootstrapServers, TimeSpan.FromSeconds(1), TimeProvider.System);
        broker.Refuse(OffsetFetch, UnstableOffsetCommit, times: 1_000);
        var failure = Assert.Throws<CommandFailure>(() => admin.IsNewGroup("group", "in", [0]));
        Assert.Equal(ExitCode.Unavailable, failure.ExitCode);
        Assert.Contains("group group at ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("a transaction hangs in __consumer_offsets", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_topic_that_was_made_is_waited_for_and_named_when_the_broker_does_not_tell_of_it()
    {
        using var broker = EmbeddedBroker.Start();
        broker.CreateTopic("known", 1);
        using var admin = new BrokerAdmin(Clients(broker.BootstrapServers), broker.BootstrapServers, TimeSpan.FromSeconds(2), TimeProvider.System);
        Assert.Null(admin.AwaitTopics(["known"]));
        Assert.Equal("late", admin.AwaitTopics(["known", "late"]));
        broker.CreateTopic("late", 1);
        Assert.Null(admin.AwaitTopics(["known", "late"]));
    }

    private static KafkaClients Clients(string servers) =>
        new(new KafkaOptions { BootstrapServers = servers, Client = new Dictionary<string, string>(StringComparer.Ordinal) { ["session.timeout.ms"] = "6000" } }, "group", NullLogger.Instance);
}
