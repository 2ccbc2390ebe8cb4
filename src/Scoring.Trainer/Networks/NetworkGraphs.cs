using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Trainer.Networks;

/// <summary>The graphs of a network's life: its rows are prepared, it is trained step by step, it scores, it is published.</summary>
internal static class NetworkGraphs
{
    // Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015: their defaults.
    public const double MeanDecay = 0.9;
    public const double SquareDecay = 0.999;
    public const double Epsilon = 1e-8;

    public const string Features = "features";
    public const string Rows = "rows";
    public const string Labels = "labels";
    public const string Weights = "weights";
    public const string Parameters = "parameters";
    public const string Mean = "mean";
    public const string Square = "square";
    public const string StepNumber = "step";
    public const string LearningRate = "learning_rate";
    public const string Loss = "loss";
    public const string GradientNorm = "gradient_norm";
    public const string LogOdds = "log_odds";

    /// <summary>Output name of what a step makes of an input.</summary>
    public static string Next(string input) => "next_" + input;

    /// <summary>features [N, features] to rows [N, prepared values].</summary>
    public static OnnxModel Preparation(InputPreparation preparation)
    {
        var graph = new GraphBuilder(OnnxElementType.Float);
        graph.Output(Rows, preparation.Write(graph, graph.Input(Features, GraphTensor.Open, preparation.FeatureCount)));
        return graph.Build("preparation");
    }

    /// <summary>rows and parameters to log_odds [N, 1].</summary>
    public static OnnxModel Scoring(NetworkShape shape)
    {
        var graph = new GraphBuilder(OnnxElementType.Float);
        var rows = graph.Input(Rows, GraphTensor.Open, shape.Inputs);
        var parameters = graph.Cut(graph.Input(Parameters, shape.ParameterCount), shape.Parameters);
        graph.Output(LogOdds, Forward(new(graph), rows, parameters, shape.Activation));
        return graph.Build("scoring");
    }

    /// <summary>features to log_odds, everything learnt inside: what a package holds. The calibration behind it is the sigmoid.</summary>
    public static OnnxModel Published(InputPreparation preparation, NetworkShape shape, ReadOnlySpan<float> parameters)
    {
        var graph = new GraphBuilder(OnnxElementType.Float);
        var rows = preparation.Write(graph, graph.Input(Features, GraphTensor.Open, preparation.FeatureCount));
        var constants = new List<GraphTensor>();
        foreach (long[] dimensions in shape.Parameters)
        {
            int count = (int)dimensions.Aggregate(1L, (product, size) => product * size);
            constants.Add(graph.Constant(Array.ConvertAll(parameters[..count].ToArray(), value => (double)value), dimensions));
            parameters = parameters[count..];
        }

        graph.Output(LogOdds, Forward(new(graph), rows, constants, shape.Activation));
        return graph.Build("network");
    }

    /// <summary>parameters, mean and square to themselves: carries them between this process's memory and the device's.</summary>
    public static OnnxModel Transfer(NetworkShape shape)
    {
        var graph = new GraphBuilder(OnnxElementType.Float);
        foreach (string name in new[] { Parameters, Mean, Square })
        {
            graph.Output(Next(name), graph.Input(name, shape.ParameterCount));
        }

        return graph.Build("transfer");
    }

    /// <summary>One step of training: forward, backward, AdamW.</summary>
    /// <param name="shape">The network.</param>
    /// <param name="settings">Rows of a batch, weight decay, gradient norm.</param>
    /// <param name="elementType">Double only to compare with a reference.</param>
    /// <remarks>
    /// 1. Log loss of the batch. 2. Its gradients, all as one vector g. 3. <c>g min(1, c / |g|)</c>: Pascanu, Mikolov and Bengio, "On the
    /// difficulty of training recurrent neural networks", ICML 2013. 4. Adam's moments without their bias. 5. <c>p - rate (m / (sqrt(v) +
    /// epsilon) + decay p)</c>, the decay on matrices only: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
    /// </remarks>
    public static OnnxModel Step(NetworkShape shape, NetworkSettings settings, OnnxElementType elementType = OnnxElementType.Float)
    {
        var graph = new GraphBuilder(elementType);
        var rows = graph.Input(Rows, settings.BatchRows, shape.Inputs);
        var labels = graph.Input(Labels, settings.BatchRows, 1);
        var weights = graph.Input(Weights, settings.BatchRows, 1);
        var parameters = graph.Input(Parameters, shape.ParameterCount);
        var mean = graph.Input(Mean, shape.ParameterCount);
        var square = graph.Input(Square, shape.ParameterCount);
        var step = graph.Input(StepNumber);
        var rate = graph.Input(LearningRate);

        var network = new DifferentiableGraph(graph);
        var leaves = graph.Cut(parameters, shape.Parameters);
        var loss = network.LogLoss(Forward(network, rows, leaves, shape.Activation), labels, weights);

        var gradients = network.Gradients(loss, graph.Scalar(1), leaves);
        var gradient = graph.Concatenate(0, [.. gradients.Select(part => graph.Reshape(part, part.Count))]);

        var norm = graph.Unary("Sqrt", graph.Sum(graph.Binary("Mul", gradient, gradient)));
        var clip = graph.Scalar(settings.GradientNormMax);
        gradient = graph.Binary("Mul", gradient, graph.Binary("Div", clip, graph.Binary("Max", norm, clip)));

        var nextMean = Average(graph, mean, gradient, MeanDecay);
        var nextSquare = Average(graph, square, graph.Binary("Mul", gradient, gradient), SquareDecay);
        var root = graph.Unary("Sqrt", Unbiased(graph, nextSquare, SquareDecay, step));
        var direction = graph.Binary("Div", Unbiased(graph, nextMean, MeanDecay, step), graph.Binary("Add", root, graph.Scalar(Epsilon)));

        double[] decays = [.. shape.Parameters.SelectMany(dimensions => Enumerable.Repeat(dimensions.Length == 2 ? settings.WeightDecay : 0, (int)dimensions.Aggregate(1L, (product, size) => product * size)))];
        var decay = graph.Binary("Mul", graph.Constant(decays, decays.Length), parameters);
        var next = graph.Binary("Sub", parameters, graph.Binary("Mul", rate, graph.Binary("Add", direction, decay)));

        graph.Output(Loss, loss);
        graph.Output(GradientNorm, norm);
        graph.Output(Next(Parameters), next);
        graph.Output(Next(Mean), nextMean);
        graph.Output(Next(Square), nextSquare);
        return graph.Build("step");
    }

    private static GraphTensor Forward(DifferentiableGraph network, GraphTensor rows, IReadOnlyList<GraphTensor> parameters, Activation activation)
    {
        var values = rows;
        for (int i = 0; i < parameters.Count; i += 2)
        {
            values = network.Affine(values, parameters[i], parameters[i + 1]);
            bool isHidden = i + 2 < parameters.Count;
            values = (isHidden, activation) switch
            {
                (false, _) => values,
                (true, Activation.Gelu) => network.Gelu(values),
                _ => network.Relu(values),
            };
        }

        return values;
    }

    private static GraphTensor Average(GraphBuilder graph, GraphTensor old, GraphTensor latest, double decay) =>
        graph.Binary("Add", graph.Binary("Mul", graph.Scalar(decay), old), graph.Binary("Mul", graph.Scalar(1 - decay), latest));

    private static GraphTensor Unbiased(GraphBuilder graph, GraphTensor average, double decay, GraphTensor step) =>
        graph.Binary("Div", average, graph.Binary("Sub", graph.Scalar(1), graph.Binary("Pow", graph.Scalar(decay), step)));
}
