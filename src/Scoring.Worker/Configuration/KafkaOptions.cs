namespace Scoring.Worker.Configuration;

/// <summary>How the brokers are reached. Section <c>Kafka</c>.</summary>
internal sealed record KafkaOptions
{
    /// <summary>Value of <see cref="Delivery"/>.</summary>
    public const string ExactlyOnce = "exactly_once";

    /// <summary>Value of <see cref="Delivery"/>.</summary>
    public const string AtLeastOnce = "at_least_once";

    /// <summary>Brokers as <c>host:port</c>, separated by commas. Default <c>localhost:9092</c>.</summary>
    public string BootstrapServers { get; init; } = "localhost:9092";

    /// <summary>Consumer group; also the owner of the committed offsets. Default <c>fraud.SERVICE</c>.</summary>
    public string? Group { get; init; }

    /// <summary>Stable name of this process in the group, so that a restart moves no partition. Absent: a dynamic member.</summary>
    public string? InstanceId { get; init; }

    /// <summary>Where a group without committed offsets starts: <c>earliest</c> (default) scores what is retained, <c>latest</c> takes it as history only.</summary>
    public string From { get; init; } = "earliest";

    /// <summary>
    /// <c>exactly_once</c> (default): outputs and input offsets in one Kafka transaction; <c>at_least_once</c>: outputs can be read a commit interval
    /// earlier, and a crash repeats those of the last one under the same identifiers.
    /// </summary>
    public string Delivery { get; init; } = ExactlyOnce;

    /// <summary>Most seconds to wait for a broker at the start, 1 to 600. Default 30; then the process ends with 69.</summary>
    public int StartTimeoutSeconds { get; init; } = 30;

    /// <summary>Any property of librdkafka by its own name (<c>security.protocol</c>, <c>sasl.username</c>, ...), for every client. What exact results rest on cannot be set here.</summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether <see cref="Delivery"/> is exactly once.</summary>
    public bool IsExactlyOnce => string.Equals(Delivery, ExactlyOnce, StringComparison.Ordinal);
}
