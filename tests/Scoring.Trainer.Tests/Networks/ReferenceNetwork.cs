using Scoring.Trainer.Networks;

namespace Scoring.Trainer.Tests.Networks;

/// <summary>A multilayer perceptron in loops: forward, backward and one AdamW step, in double, ReLU only. Slow, obvious, independent of the graphs.</summary>
internal sealed class ReferenceNetwork(NetworkShape shape)
{
    private readonly int[] widths = [shape.Inputs, .. shape.Hidden, 1];

    /// <summary>Log-odds of a row.</summary>
    public double LogOdds(double[] row, double[] parameters) => Layers(row, parameters)[^1][0];

    /// <summary>Weighted mean log loss of a batch and its gradient.</summary>
    public (double Loss, double[] Gradient) Differentiate(double[][] rows, double[] labels, double[] weights, double[] parameters)
    {
        var gradient = new double[parameters.Length];
        double loss = 0;
        double total = weights.Sum();
        for (int r = 0; r < rows.Length; r++)
        {
            var layers = Layers(rows[r], parameters);
            double z = layers[^1][0];
            double p = 1 / (1 + Math.Exp(-z));
            loss -= weights[r] / total * ((labels[r] * Math.Log(p)) + ((1 - labels[r]) * Math.Log(1 - p)));
            double[] error = [weights[r] / total * (p - labels[r])];
            for (int layer = widths.Length - 2; layer >= 0; layer--)
            {
                int matrix = Offset(layer);
                int bias = matrix + (widths[layer] * widths[layer + 1]);
                var before = new double[widths[layer]];
                for (int to = 0; to < widths[layer + 1]; to++)
                {
                    gradient[bias + to] += error[to];
                    for (int from = 0; from < widths[layer]; from++)
                    {
                        int at = matrix + (from * widths[layer + 1]) + to;
                        gradient[at] += error[to] * layers[layer][from];
                        before[from] += layer > 0 && layers[layer][from] <= 0 ? 0 : error[to] * parameters[at];
                    }
                }

                error = before;
            }
        }

        return (loss, gradient);
    }

    /// <summary>One step; changes parameters and moments in place.</summary>
    public double Step(double[][] rows, double[] labels, double[] weights, double[] parameters, double[] mean, double[] square, int step, double rate, NetworkSettings settings)
    {
        var (loss, gradient) = Differentiate(rows, labels, weights, parameters);
        double norm = Math.Sqrt(gradient.Sum(value => value * value));
        for (int i = 0; i < parameters.Length; i++)
        {
            double g = norm > settings.GradientNormMax ? gradient[i] * settings.GradientNormMax / norm : gradient[i];
            mean[i] = (0.9 * mean[i]) + (0.1 * g);
            square[i] = (0.999 * square[i]) + (0.001 * g * g);
            double m = mean[i] / (1 - Math.Pow(0.9, step));
            double v = square[i] / (1 - Math.Pow(0.999, step));
            double decay = IsBias(i) ? 0 : settings.WeightDecay;
            parameters[i] -= rate * ((m / (Math.Sqrt(v) + 1e-8)) + (decay * parameters[i]));
        }

        return loss;
    }

    private double[][] Layers(double[] row, double[] parameters)
    {
        var layers = new double[widths.Length][];
        layers[0] = row;
        for (int layer = 0; layer + 1 < widths.Length; layer++)
        {
            int matrix = Offset(layer);
            int bias = matrix + (widths[layer] * widths[layer + 1]);
            layers[layer + 1] = new double[widths[layer + 1]];
            for (int to = 0; to < widths[layer + 1]; to++)
            {
                double sum = parameters[bias + to];
                for (int from = 0; from < widths[layer]; from++)
                {
                    sum += layers[layer][from] * parameters[matrix + (from * widths[layer + 1]) + to];
                }

                layers[layer + 1][to] = layer + 2 < widths.Length ? Math.Max(0, sum) : sum;
            }
        }

        return layers;
    }

    private int Offset(int layer) => Enumerable.Range(0, layer).Sum(i => (widths[i] + 1) * widths[i + 1]);

    private bool IsBias(int index)
    {
        for (int layer = 0; layer + 1 < widths.Length; layer++)
        {
            int bias = Offset(layer) + (widths[layer] * widths[layer + 1]);
            if (index >= bias && index < bias + widths[layer + 1])
            {
                return true;
            }
        }

        return false;
    }
}
