namespace Scoring.Trainer.Networks;

/// <summary>How a network is trained.</summary>
internal sealed record NetworkSettings
{
    /// <summary>Width of each hidden layer. Default 64 and 32.</summary>
    public IReadOnlyList<int> Hidden { get; init; } = [64, 32];

    /// <summary>What follows each hidden layer. Default ReLU.</summary>
    public Activation Activation { get; init; } = Activation.Relu;

    /// <summary>Rows of a step. Default 1,024.</summary>
    public int BatchRows { get; init; } = 1_024;

    /// <summary>Most passes over the rows. Default 40.</summary>
    public int EpochsMax { get; init; } = 40;

    /// <summary>Passes without a better average precision on the later rows after which training ends. Default 8.</summary>
    public int Patience { get; init; } = 8;

    /// <summary>Highest learning rate of the schedule. Default 0.005.</summary>
    public double LearningRate { get; init; } = 0.005;

    /// <summary>Share of each weight (not bias) taken off per unit of learning rate, as AdamW does. Default 0.1.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Largest norm of all gradients together; longer ones are shortened. Default 1.</summary>
    public double GradientNormMax { get; init; } = 1;

    /// <summary>Weight of a fraud in the loss, an honest row weighs 1. Default 1: calibration comes after, and weights cost average precision where frauds are many enough.</summary>
    public double FraudWeight { get; init; } = 1;

    /// <summary>Seed of start, order and nothing else. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Where to train.</summary>
    public NetworkDevice Device { get; init; }

    /// <summary>The settings by name, for the manifest.</summary>
    public IReadOnlyDictionary<string, double> Named
    {
        get
        {
            var named = new Dictionary<string, double>(StringComparer.Ordinal)
            {
                ["network_batch_rows"] = BatchRows,
                ["network_epochs_max"] = EpochsMax,
                ["network_patience"] = Patience,
                ["network_learning_rate"] = LearningRate,
                ["network_weight_decay"] = WeightDecay,
                ["network_gradient_norm_max"] = GradientNormMax,
                ["network_fraud_weight"] = FraudWeight,
            };
            for (int i = 0; i < Hidden.Count; i++)
            {
                named[FormattableString.Invariant($"network_hidden_{i + 1}")] = Hidden[i];
            }

            return named;
        }
    }
}
