using Microsoft.Extensions.Logging.Abstractions;
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
        using var cluster = new ClusterReader(clients, admin, around.Clock, how.Wait, TextWriter.Null);
        var report = new Verifier(service, cluster, around.Plan.Partitions, how, package: null, findings).RunAsync(CancellationToken.None).GetAwaiter().GetResult();
        Values = report.Figures.Values;
        foreach (var invariant in Enum.GetValues<Invariant>())
        {
            if (findings.Count(invariant) > 0)
            {
                yield return FormattableString.Invariant($"{findings.Count(invariant)} {invariant} ({findings.Examples(invariant)[0]})");
            }
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
}
