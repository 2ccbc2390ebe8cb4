using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Clients;

/// <summary>Questions about topics and groups: those that the worker asks.</summary>
internal sealed class SimulatedAdmin(World world, Network network, SimulatedBroker broker, SimulatedProcess process) : IAdminClient
{
    /// <inheritdoc/>
    public Handle Handle { get; } = new();

    /// <inheritdoc/>
    public string Name => process.Name;

    /// <inheritdoc/>
    public Metadata GetMetadata(TimeSpan timeout)
    {
        var none = new Error(ErrorCode.NoError, "", isFatal: false);
        var topics = Call(
            () => broker.Topics.Select(topic => new TopicMetadata(topic.Key, [.. topic.Value.Select(log => new PartitionMetadata(log.Name.Partition.Value, 0, [0], [0], none))], none)).ToList(),
            timeout);
        return new Metadata([new BrokerMetadata(0, "simulated", 9092)], topics, 0, "simulated");
    }

    /// <inheritdoc/>
    public Metadata GetMetadata(string topic, TimeSpan timeout) => GetMetadata(timeout);

    /// <summary>Where partitions end.</summary>
    public ListOffsetsResult ListOffsets(IReadOnlyList<TopicPartitionOffsetSpec> asked, bool committedOnly, TimeSpan timeout) =>
        Call(() => Ends(asked, committedOnly), timeout);

    /// <summary>Where partitions end for readers of committed records, told later.</summary>
    public Task<ListOffsetsResult> ListOffsetsLater(IReadOnlyList<TopicPartitionOffsetSpec> asked)
    {
        process.Enter("ListOffsets");
        var told = new TaskCompletionSource<ListOffsetsResult>();
        network.Deliver(process, () =>
        {
            var answer = Ends(asked, committedOnly: true);
            network.Return(process, () => told.SetResult(answer));
        });
        return told.Task;
    }

    /// <inheritdoc/>
    public Task<DescribeConsumerGroupsResult> DescribeConsumerGroupsAsync(IEnumerable<string> groups, DescribeConsumerGroupsOptions? options = null) => Task.FromResult(Call(
        () => new DescribeConsumerGroupsResult
        {
            ConsumerGroupDescriptions =
            [
                new()
                {
                    GroupId = groups.Single(),
                    Members = [.. broker.Group.Members.Select(member => new MemberDescription { ConsumerId = member, Assignment = new MemberAssignment { TopicPartitions = [] } })],
                },
            ],
        },
        TimeSpan.FromSeconds(5)));

    /// <inheritdoc/>
    public Task<List<DeleteRecordsResult>> DeleteRecordsAsync(IEnumerable<TopicPartitionOffset> topicPartitionOffsets, DeleteRecordsOptions? options = null)
    {
        List<TopicPartitionOffset> before = [.. topicPartitionOffsets];
        return Task.FromResult(Call<List<DeleteRecordsResult>>(
            () =>
            {
                before.ForEach(one => broker.Log(one.TopicPartition).RemoveBefore(one.Offset.Value));
                return [];
            },
            TimeSpan.FromSeconds(5)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    public Task<List<ListConsumerGroupOffsetsResult>> ListConsumerGroupOffsetsAsync(IEnumerable<ConsumerGroupTopicPartitions> groupPartitions, ListConsumerGroupOffsetsOptions? options = null) => throw new NotSupportedException();
    public List<GroupInfo> ListGroups(TimeSpan timeout) => throw new NotSupportedException();
    public GroupInfo ListGroup(string group, TimeSpan timeout) => throw new NotSupportedException();
    public Task CreatePartitionsAsync(IEnumerable<PartitionsSpecification> partitionsSpecifications, CreatePartitionsOptions? options = null) => throw new NotSupportedException();
    public Task DeleteGroupsAsync(IList<string> groups, DeleteGroupsOptions? options = null) => throw new NotSupportedException();
    public Task DeleteTopicsAsync(IEnumerable<string> topics, DeleteTopicsOptions? options = null) => throw new NotSupportedException();
    public Task CreateTopicsAsync(IEnumerable<TopicSpecification> topics, CreateTopicsOptions? options = null) => throw new NotSupportedException();
    public Task AlterConfigsAsync(Dictionary<ConfigResource, List<ConfigEntry>> configs, AlterConfigsOptions? options = null) => throw new NotSupportedException();
    public Task<List<IncrementalAlterConfigsResult>> IncrementalAlterConfigsAsync(Dictionary<ConfigResource, List<ConfigEntry>> configs, IncrementalAlterConfigsOptions? options = null) => throw new NotSupportedException();
    public Task<List<DescribeConfigsResult>> DescribeConfigsAsync(IEnumerable<ConfigResource> resources, DescribeConfigsOptions? options = null) => throw new NotSupportedException();
    public Task CreateAclsAsync(IEnumerable<AclBinding> aclBindings, CreateAclsOptions? options = null) => throw new NotSupportedException();
    public Task<DescribeAclsResult> DescribeAclsAsync(AclBindingFilter aclBindingFilter, DescribeAclsOptions? options = null) => throw new NotSupportedException();
    public Task<List<DeleteAclsResult>> DeleteAclsAsync(IEnumerable<AclBindingFilter> aclBindingFilters, DeleteAclsOptions? options = null) => throw new NotSupportedException();
    public Task<DeleteConsumerGroupOffsetsResult> DeleteConsumerGroupOffsetsAsync(string group, IEnumerable<TopicPartition> partitions, DeleteConsumerGroupOffsetsOptions? options = null) => throw new NotSupportedException();
    public Task<List<AlterConsumerGroupOffsetsResult>> AlterConsumerGroupOffsetsAsync(IEnumerable<ConsumerGroupTopicPartitionOffsets> groupPartitions, AlterConsumerGroupOffsetsOptions? options = null) => throw new NotSupportedException();
    public Task<ListConsumerGroupsResult> ListConsumerGroupsAsync(ListConsumerGroupsOptions? options = null) => throw new NotSupportedException();
    public Task<DescribeUserScramCredentialsResult> DescribeUserScramCredentialsAsync(IEnumerable<string> users, DescribeUserScramCredentialsOptions? options = null) => throw new NotSupportedException();
    public Task AlterUserScramCredentialsAsync(IEnumerable<UserScramCredentialAlteration> alterations, AlterUserScramCredentialsOptions? options = null) => throw new NotSupportedException();

    /// <inheritdoc/>
    public int AddBrokers(string brokers) => 0;

    /// <inheritdoc/>
    public void SetSaslCredentials(string username, string password)
    {
    }

    private ListOffsetsResult Ends(IReadOnlyList<TopicPartitionOffsetSpec> asked, bool committedOnly) => new()
    {
        ResultInfos =
        [
            .. asked.Select(one => new ListOffsetsResultInfo
            {
                TopicPartitionOffsetError = new TopicPartitionOffsetError(
                    one.TopicPartition,
                    committedOnly ? broker.Log(one.TopicPartition).StableEnd : broker.Log(one.TopicPartition).End,
                    new Error(ErrorCode.NoError, "", isFatal: false)),
            }),
        ],
    };

    private T Call<T>(Func<T> question, TimeSpan timeout)
    {
        process.Enter("admin");
        _ = world;
        return network.TryCall(process, question, timeout, out var answer)
            ? answer!
            : throw new KafkaException(new Error(ErrorCode.Local_TimedOut, "nobody answered in time", isFatal: false));
    }
}
