namespace Scoring.EndToEnd.Tests.Brokers;

/// <summary>What the tests run against.</summary>
public enum BrokerKind
{
    /// <summary>A Kafka that <c>KAFKA_BOOTSTRAP_SERVERS</c> names.</summary>
    External,

    /// <summary>A Kafka in a container that the tests started.</summary>
    Container,

    /// <summary>The embedded broker, which is not a real one.</summary>
    Embedded,
}
