using System.Text.Json.Serialization;

namespace Scoring.Models.Packaging;

/// <summary><c>manifest.json</c> of a model package: what the model is, what it needs, what it showed and how its score is made.</summary>
public sealed record PackageManifest
{
    /// <summary>Version of this manifest's form that this code writes and reads.</summary>
    public const int FormatVersion = 1;

    /// <summary>Form of the manifest; <see cref="FormatVersion"/>.</summary>
    public required int Format { get; init; }

    /// <summary>Name of the model, 1 to 64 characters.</summary>
    public required string Name { get; init; }

    /// <summary>Version of the model as people say it.</summary>
    public required string Version { get; init; }

    /// <summary>The service that the model is for. Another service refuses it.</summary>
    public required string Service { get; init; }

    /// <summary>Digest of the feature plan that the model was trained on.</summary>
    public required string PlanDigest { get; init; }

    /// <summary>The model's inputs, in order.</summary>
    public required IReadOnlyList<string> Features { get; init; }

    /// <summary>Counts up from package to package of one service; a worker takes no lower one than it has.</summary>
    public required long Sequence { get; init; }

    /// <summary>Identifier of the signer's key.</summary>
    public required string KeyId { get; init; }

    /// <summary>Not to be used before.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Not to be used from then on.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Digest of the package that this one replaces.</summary>
    public string? PreviousSha256 { get; init; }

    /// <summary>Digest of the earlier package whose model this one puts forward again; none where the model is new.</summary>
    public string? RollbackOf { get; init; }

    /// <summary>Why it replaced the package before it; none where a person published it.</summary>
    public PromotionManifest? Promotion { get; init; }

    /// <summary>Where the model came from: <c>fasttree</c>, or the producer that an imported file names.</summary>
    public required string Producer { get; init; }

    /// <summary>What the model learnt from; none where another library trained it.</summary>
    public TrainingFacts? Training { get; init; }

    /// <summary>The trees in <c>trees.onnx</c>.</summary>
    public ComponentManifest? Trees { get; init; }

    /// <summary>The network in <c>network.onnx</c>.</summary>
    public ComponentManifest? Network { get; init; }

    /// <summary>How two components are joined; none where there is one.</summary>
    public BlendManifest? Blend { get; init; }

    /// <summary>From which probability on to act, where the definition does not say.</summary>
    public required ThresholdsManifest Thresholds { get; init; }

    /// <summary>What the model showed on the data it was calibrated on, by name.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>SHA-256 of every other file of the package, lower-case hex, by file name.</summary>
    public required IReadOnlyDictionary<string, string> Files { get; init; }
}

/// <summary>Why the trainer put a model forward: its place in the lineage of a channel.</summary>
public sealed record PromotionManifest
{
    /// <summary>The time that was looked at: what was known then decided.</summary>
    public required DateTimeOffset DecidedAt { get; init; }

    /// <summary>What made the trainer try: <c>schedule</c>, <c>labels</c>, <c>drift</c>.</summary>
    public required IReadOnlyList<string> Triggers { get; init; }

    /// <summary>The rule, a sentence.</summary>
    public required string Rule { get; init; }

    /// <summary>How it was met, a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>First event time of the traffic that both models were judged on.</summary>
    public required DateTimeOffset JudgedFrom { get; init; }

    /// <summary>Its end, excluded.</summary>
    public required DateTimeOffset JudgedTo { get; init; }

    /// <summary>What both models showed there, by name.</summary>
    public required IReadOnlyDictionary<string, double> Figures { get; init; }
}

/// <summary>What a model learnt from.</summary>
public sealed record TrainingFacts
{
    /// <summary>First event time of the training window.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>End of the training window, excluded.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>Rows learnt from.</summary>
    public required int Rows { get; init; }

    /// <summary>Frauds among them.</summary>
    public required int Frauds { get; init; }

    /// <summary>Seed of everything random.</summary>
    public required int Seed { get; init; }

    /// <summary>Settings of the learner, by name.</summary>
    public required IReadOnlyDictionary<string, double> Settings { get; init; }

    /// <summary>On what the calibration was fitted.</summary>
    public CalibrationFacts? Calibration { get; init; }
}

/// <summary>On what a calibration was fitted.</summary>
public sealed record CalibrationFacts
{
    /// <summary><c>later</c>: on later data than the model's. <c>shifted</c>: on the training window, scored by a twin trained as much earlier as the live model will be.</summary>
    public required string Method { get; init; }

    /// <summary>First event time.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>End, excluded.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>Rows it was fitted on.</summary>
    public required int Rows { get; init; }

    /// <summary>Frauds among them.</summary>
    public required int Frauds { get; init; }

    /// <summary>Whether events of accounts already known to be compromised were left out, as they are blocked in the field.</summary>
    public required bool WithoutCompromisedAccounts { get; init; }
}

/// <summary>One component and what makes its raw score a probability.</summary>
public sealed record ComponentManifest
{
    /// <summary>Its calibration.</summary>
    public required CalibrationManifest Calibration { get; init; }
}

/// <summary>A calibration as it stands in the manifest.</summary>
public sealed record CalibrationManifest
{
    /// <summary>Form: <c>identity</c>, <c>platt</c> or <c>isotonic</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Platt: log-odds per unit of raw score.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Slope { get; init; }

    /// <summary>Platt: log-odds at raw score 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Intercept { get; init; }

    /// <summary>Isotonic: raw scores of the knots.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? KnotScores { get; init; }

    /// <summary>Isotonic: probabilities at the knots.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? KnotProbabilities { get; init; }

    /// <summary>A sentence for readers, where the numbers need one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Note { get; init; }
}

/// <summary>How two components are joined: weights of their calibrated log-odds.</summary>
/// <param name="Bias">Log-odds added.</param>
/// <param name="Trees">Weight of the trees.</param>
/// <param name="Network">Weight of the network.</param>
public sealed record BlendManifest(double Bias, double Trees, double Network);

/// <summary>Probabilities from which on to act, 0 to 1, and how they were found.</summary>
/// <param name="Review">Review from here on.</param>
/// <param name="Decline">Decline from here on; at least <paramref name="Review"/>.</param>
/// <param name="Basis">How they were found, for readers.</param>
public sealed record ThresholdsManifest(double Review, double Decline, string Basis);
