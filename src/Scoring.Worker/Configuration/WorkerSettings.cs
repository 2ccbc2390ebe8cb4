namespace Scoring.Worker.Configuration;

/// <summary>Every setting of the worker, checked.</summary>
internal sealed record WorkerSettings
{
    /// <summary>Section <c>Kafka</c>.</summary>
    public required KafkaOptions Kafka { get; init; }

    /// <summary>Section <c>Lanes</c>.</summary>
    public required LaneOptions Lanes { get; init; }

    /// <summary>Section <c>Operations</c>.</summary>
    public required OperationsOptions Operations { get; init; }

    /// <summary>Section <c>Serving</c>.</summary>
    public required ServingOptions Serving { get; init; }

    /// <summary>Section <c>Aggregates</c>.</summary>
    public required AggregatesOptions Aggregates { get; init; }
}
