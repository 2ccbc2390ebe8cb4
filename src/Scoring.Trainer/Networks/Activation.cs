namespace Scoring.Trainer.Networks;

/// <summary>What a hidden layer does with its sums.</summary>
internal enum Activation
{
    /// <summary><c>max(0, x)</c>.</summary>
    Relu,

    /// <summary>Gaussian error linear unit, tanh form.</summary>
    Gelu,
}
