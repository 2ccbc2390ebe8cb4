namespace Scoring.Models.Definitions;

/// <summary>A predicate that decides beside the model.</summary>
public sealed record RuleDefinition
{
    /// <summary>Name, unique: 1 to 64 of <c>a-z 0-9 _</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Predicate over fields, features and <c>score</c>: <c>amount_minor &gt; 50000 &amp;&amp; channel == "ecommerce" &amp;&amp; three_ds == null</c>.</summary>
    public required string When { get; init; }

    /// <summary>Decision at least as strict as: <c>approve</c>, <c>review</c> or <c>decline</c>; the strictest that any rule or threshold asks for is taken. A rule that says <c>approve</c> overrules the model, not other rules.</summary>
    public required string Then { get; init; }

    /// <summary>Reason code; by default the name in capitals.</summary>
    public string? Reason { get; init; }

    /// <summary>Only counted and named on the score, never decides.</summary>
    public bool Shadow { get; init; }
}

/// <summary>From which score on to act.</summary>
public sealed record PolicyDefinition
{
    /// <summary>Review from this probability on, 0 to 1. Absent: the model package's own threshold.</summary>
    public double? Review { get; init; }

    /// <summary>Decline from this probability on; at least <see cref="Review"/>. Absent: the model package's own threshold.</summary>
    public double? Decline { get; init; }

    /// <summary>What is decided when no model can score and no rule speaks: <c>approve</c> (default), <c>review</c> or <c>decline</c>.</summary>
    public string WithoutModel { get; init; } = "approve";
}

/// <summary>Which model scores.</summary>
public sealed record ModelDefinition
{
    /// <summary>Channel on the models topic: 1 to 40 of <c>a-z 0-9 - _</c>. Default <c>champion</c>.</summary>
    public string Channel { get; init; } = "champion";
}

/// <summary>Names of the topics; each has the default of the contract.</summary>
public sealed record TopicDefinition
{
    /// <summary>Input: transactions.</summary>
    public string Transactions { get; init; } = "payments.transactions.v1";

    /// <summary>Input: labels, with as many partitions as the transactions.</summary>
    public string Labels { get; init; } = "fraud.labels.v1";

    /// <summary>Output: one score per transaction.</summary>
    public string Scores { get; init; } = "fraud.scores.v1";

    /// <summary>Output: scores whose decision is review or decline.</summary>
    public string Alerts { get; init; } = "fraud.alerts.v1";

    /// <summary>Output: refused events. Absent: the name of the input with <c>.dlq</c>.</summary>
    public string? DeadLetters { get; init; }

    /// <summary>Between partitions: contributions to shared entities. Absent: <c>fraud.SERVICE.aggregates</c>.</summary>
    public string? Aggregates { get; init; }

    /// <summary>The worker's own: its windows, to be restored from. Absent: <c>fraud.SERVICE.state</c>.</summary>
    public string? State { get; init; }

    /// <summary>Model packages, of every service. Default <c>fraud.models.v1</c>.</summary>
    public string Models { get; init; } = "fraud.models.v1";
}

/// <summary>What late and future events are.</summary>
public sealed record TimeDefinition
{
    /// <summary>An event further than this ahead of the clock is refused and never moves the watermark. Default 5 minutes.</summary>
    public TimeSpan FutureTolerance { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Events before this time are refused as ancient. Default 2000-01-01.</summary>
    public DateTimeOffset Earliest { get; init; } = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
}
