namespace Scoring.Models.Ensembles;

/// <summary>What an ensemble says about a micro-batch. Reused from batch to batch.</summary>
public sealed class EnsembleScores
{
    /// <summary>Makes room for <paramref name="rowsMax"/> rows, rounded up to whole blocks of 16.</summary>
    public EnsembleScores(int rowsMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rowsMax);
        RowsMax = (rowsMax + TreeEnsemble.BlockRows - 1) / TreeEnsemble.BlockRows * TreeEnsemble.BlockRows;
        Probability = new double[RowsMax];
        Trees = new double[RowsMax];
        Network = new double[RowsMax];
    }

    /// <summary>Most rows.</summary>
    public int RowsMax { get; }

    /// <summary>Calibrated probability of fraud, 0 to 1; NaN where the step that was asked for has no component.</summary>
    public double[] Probability { get; }

    /// <summary>The trees' own calibrated probability; NaN where there are none.</summary>
    public double[] Trees { get; }

    /// <summary>The network's own calibrated probability; NaN where there is none or it was not asked.</summary>
    public double[] Network { get; }
}
