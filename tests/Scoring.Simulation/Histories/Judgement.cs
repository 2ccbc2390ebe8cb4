using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Models.Features;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Clients;
using Scoring.Simulation.Scheduling;
using Scoring.Worker.Configuration;
using Scoring.Worker.Kafka;
using Scoring.Worker.Verification;

namespace Scoring.Simulation.Histories;

/// <summary>Holds what stands on the topics against what must: by the verifier that customers have, and its oracle.</summary>
internal sealed class Judgement(Surroundings around)
{
    /// <summary>Feature values compared.</summary>
    public long Values { get; private set; }

    /// <summary>Verifies.</summary>
    /// <returns>What is wrong.</returns>
    public IEnumerable<string> Verify()
    {
        var service = around.Simulated.Service;
        var looking = new SimulatedProcess(around.World, "verifier");
        var clients = new SimulatedClients(around.World, around.Network, around.Broker, looking, 1, new KafkaOptions(), service.Topics.Group, NullLogger.Instance) { IsObserver = true };
        using var admin = new BrokerAdmin(clients, "simulated", TimeSpan.FromSeconds(30), around.Clock);
        var findings = new Findings();
        var how = new VerificationOptions { Group = service.Topics.Group, ReadsLabels = true, Wait = TimeSpan.FromSeconds(30) };
        var cluster = new ClusterReader(clients, admin, around.Clock, how.Wait, TextWriter.Null);
        var report = new Verifier(service, cluster, around.Plan.Partitions, how, package: null, findings).RunAsync(CancellationToken.None).GetAwaiter().GetResult();
        Values = report.Figures.Values;
        foreach (var invariant in Enum.GetValues<Invariant>())
        {
            if (findings.Count(invariant) > 0)
            {
                yield return FormattableString.Invariant($"{findings.Count(invariant)} {invariant} ({findings.Examples(invariant)[0]})");
            }
        }

        foreach (var log in around.Broker.Topics[service.Topics.State])
        {
            if (Position(log) is { } wrong)
            {
                yield return wrong;
            }
        }

        foreach (string step in around.Broker.Group.WentBack)
        {
            yield return step;
        }

        if (report.Lag > 0)
        {
            yield return FormattableString.Invariant($"{report.Lag} not answered");
        }

        if (Values == 0)
        {
            yield return "no feature was compared";
        }
    }

    /// <summary>What a partition's state says of its position must be what its group has committed, of transactions and labels, and never that labels went back.</summary>
    private string? Position(PartitionLog log)
    {
        int partition = log.Name.Partition.Value;
        using var state = new PartitionState(around.Simulated.Service.Plan, partition);
        state.KeepChangelog();
        var loader = new StateLoader(state);
        long labels = 0;
        foreach (var (offset, record) in log.Committed())
        {
            loader.Take(record.Key, record.Value);
            if (loader.Position?.LabelOffset < labels)
            {
                return FormattableString.Invariant($"at {offset} state of partition {partition} says that labels went back from {labels} to {loader.Position?.LabelOffset}");
            }

            labels = loader.Position?.LabelOffset ?? 0;
        }

        var topics = around.Simulated.Service.Topics;
        long transactions = Committed(topics.Transactions);
        labels = Committed(topics.Labels);
        var found = loader.Finish(out var mark);
        return (loader.Position?.TransactionOffset, loader.Position?.LabelOffset) == (transactions, labels) && (found != StateFound.Marked || (mark.TransactionOffset <= transactions && mark.LabelOffset <= labels))
            ? null
            : FormattableString.Invariant($"state of partition {partition} is at {loader.Position?.TransactionOffset} and {loader.Position?.LabelOffset} of the labels, marked at {mark.TransactionOffset} and {mark.LabelOffset}, the group at {transactions} and {labels}");

        long Committed(string topic) => around.Broker.Group.Offsets.GetValueOrDefault(new TopicPartition(topic, partition));
    }
}
