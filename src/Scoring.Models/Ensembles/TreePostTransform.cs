namespace Scoring.Models.Ensembles;

/// <summary>What turns the margin into the model's own output.</summary>
public enum TreePostTransform
{
    /// <summary>The margin is the output.</summary>
    None,

    /// <summary>The margin is in log-odds: 1 / (1 + exp(-margin)).</summary>
    Logistic,
}
