namespace Scoring.EndToEnd.Tests.Brokers;

/// <summary>Topics that one test has to itself.</summary>
/// <param name="Prefix">Begins every topic's name and no other test's; also fit for group and transactional ids.</param>
/// <param name="PartitionCount">Partitions of each topic.</param>
public sealed record TestTopics(string Prefix, int PartitionCount)
{
    /// <summary>The full name of a topic, e.g. <c>smoke-1-5f0c.scores</c> for <c>scores</c>.</summary>
    public string this[string name] => $"{Prefix}.{name}";
}
