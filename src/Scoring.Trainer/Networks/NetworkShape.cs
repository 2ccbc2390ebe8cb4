namespace Scoring.Trainer.Networks;

/// <summary>Layers of a network with one output. Its parameters are one vector: per layer the matrix [from, to], row-major, then the bias [to].</summary>
/// <param name="Inputs">Values per prepared row.</param>
/// <param name="Hidden">Width of each hidden layer.</param>
/// <param name="Activation">What follows each hidden layer.</param>
internal sealed record NetworkShape(int Inputs, IReadOnlyList<int> Hidden, Activation Activation)
{
    /// <summary>Shapes of the parameters, in the order of the vector.</summary>
    public IReadOnlyList<long[]> Parameters => [.. Layers.SelectMany(layer => new long[][] { [layer.From, layer.To], [layer.To] })];

    /// <summary>Values of the vector.</summary>
    public int ParameterCount => Layers.Sum(layer => (layer.From + 1) * layer.To);

    private IEnumerable<(int From, int To)> Layers
    {
        get
        {
            int[] widths = [Inputs, .. Hidden, 1];
            return widths.Zip(widths.Skip(1));
        }
    }

    /// <summary>Starting parameters: matrices normal with variance 2 / from (He et al., "Delving deep into rectifiers", 2015), biases 0, the last one the log-odds of the base rate.</summary>
    /// <param name="random">Seeded.</param>
    /// <param name="baseLogOdds">Log-odds to start from, so that the first epochs need not find the share of frauds.</param>
    public float[] Initialise(Random random, double baseLogOdds)
    {
        var parameters = new float[ParameterCount];
        int at = 0;
        foreach (var (from, to) in Layers)
        {
            double deviation = Math.Sqrt(2.0 / from);
            for (int i = 0; i < from * to; i++)
            {
                parameters[at++] = (float)(deviation * Normal(random));
            }

            at += to;
        }

        parameters[^1] = (float)baseLogOdds;
        return parameters;
    }

    // Box and Muller, 1958.
    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
