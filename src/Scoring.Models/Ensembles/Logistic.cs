namespace Scoring.Models.Ensembles;

/// <summary>Probability and log-odds, without overflow at either end.</summary>
public static class Logistic
{
    // The log-odds of probabilities nearer to 0 or 1 than this are cut off: a component that is certain must not be able to silence every other.
    private const double Nearest = 1e-9;

    /// <summary><c>1 / (1 + exp(-logOdds))</c>.</summary>
    public static double Probability(double logOdds)
    {
        if (logOdds >= 0)
        {
            return 1 / (1 + Math.Exp(-logOdds));
        }

        double odds = Math.Exp(logOdds);
        return odds / (1 + odds);
    }

    /// <summary><c>ln(p / (1 - p))</c>, for probabilities cut off at 1e-9 and 1 - 1e-9: finite for every number.</summary>
    public static double LogOdds(double probability)
    {
        double p = Math.Clamp(probability, Nearest, 1 - Nearest);
        return Math.Log(p / (1 - p));
    }

    /// <summary><c>-ln</c> of the probability given to what happened, from log-odds: exact where the probability rounds to 0 or 1.</summary>
    public static double Loss(double logOdds, double target)
    {
        // ln(1 + exp(z)) - target z, written so that the exponent is never positive.
        double softplus = Math.Max(logOdds, 0) + Math.Log(1 + Math.Exp(-Math.Abs(logOdds)));
        return softplus - (target * logOdds);
    }
}
