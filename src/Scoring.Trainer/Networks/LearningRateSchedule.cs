namespace Scoring.Trainer.Networks;

/// <summary>The learning rate of each step: a straight rise over the first epoch, then half a cosine down to a hundredth.</summary>
/// <param name="Highest">Learning rate at the top.</param>
/// <param name="StepsPerEpoch">Steps of the rise.</param>
/// <param name="StepCount">Steps in all.</param>
/// <remarks>Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, without the restarts.</remarks>
internal sealed record LearningRateSchedule(double Highest, int StepsPerEpoch, int StepCount)
{
    private const double LowestShare = 0.01;

    /// <summary>The rate of a step.</summary>
    /// <param name="step">From 0.</param>
    public double At(int step)
    {
        if (step < StepsPerEpoch)
        {
            return Highest * (step + 1) / StepsPerEpoch;
        }

        double done = Math.Min(1, (double)(step - StepsPerEpoch) / Math.Max(1, StepCount - StepsPerEpoch));
        return Highest * (LowestShare + ((1 - LowestShare) * 0.5 * (1 + Math.Cos(Math.PI * done))));
    }
}
