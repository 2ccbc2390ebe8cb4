namespace Scoring.Trainer.Networks;

/// <summary>Operators that know their derivative: reverse-mode differentiation that writes the backward pass into the same graph.</summary>
/// <remarks>
/// Each operator remembers, per input, how a gradient of its output becomes one of that input (Griewank and Walther, "Evaluating
/// Derivatives", 2nd ed., 2008, chapter 3). Inputs that need no gradient get none: the largest product of a network's backward pass,
/// the one towards its data, is never written.
/// </remarks>
internal sealed class DifferentiableGraph(GraphBuilder graph)
{
    private readonly List<Step> tape = [];

    /// <summary>The graph that is written to.</summary>
    public GraphBuilder Graph { get; } = graph;

    /// <summary>A layer's sums: the product of two matrices, and a bias for each column.</summary>
    /// <param name="rows">[rows, from].</param>
    /// <param name="matrix">[from, to].</param>
    /// <param name="bias">[to].</param>
    public GraphTensor Affine(GraphTensor rows, GraphTensor matrix, GraphTensor bias) => Record(
        Graph.Multiply(rows, matrix, bias),
        (rows, gradient => Graph.Multiply(gradient, matrix, transposeB: true)),
        (matrix, gradient => Graph.Multiply(rows, gradient, transposeA: true)),
        (bias, gradient => Shrink(gradient, bias)));

    /// <summary>The sum, stretched.</summary>
    public GraphTensor Add(GraphTensor a, GraphTensor b) => Record(
        Graph.Binary("Add", a, b),
        (a, gradient => Shrink(gradient, a)),
        (b, gradient => Shrink(gradient, b)));

    /// <summary>The product value by value, stretched.</summary>
    public GraphTensor Scale(GraphTensor a, GraphTensor b) => Record(
        Graph.Binary("Mul", a, b),
        (a, gradient => Shrink(Graph.Binary("Mul", gradient, b), a)),
        (b, gradient => Shrink(Graph.Binary("Mul", gradient, a), b)));

    /// <summary><c>max(0, x)</c>; its slope at 0 is taken as 0.</summary>
    public GraphTensor Relu(GraphTensor x)
    {
        var y = Graph.Unary("Relu", x);
        return Record(y, (x, gradient => Graph.Binary("Mul", gradient, Graph.Unary("Sign", y))));
    }

    /// <summary>Hyperbolic tangent.</summary>
    public GraphTensor Tanh(GraphTensor x)
    {
        var y = Graph.Unary("Tanh", x);
        return Record(y, (x, gradient => Graph.Binary("Mul", gradient, Graph.Binary("Sub", Graph.Scalar(1), Graph.Binary("Mul", y, y)))));
    }

    /// <summary><c>x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))</c>: Hendrycks and Gimpel, "Gaussian error linear units", 2016, in its tanh form.</summary>
    public GraphTensor Gelu(GraphTensor x)
    {
        var cube = Scale(Scale(x, x), x);
        var inner = Scale(Graph.Scalar(Math.Sqrt(2 / Math.PI)), Add(x, Scale(Graph.Scalar(0.044715), cube)));
        return Scale(Scale(Graph.Scalar(0.5), x), Add(Graph.Scalar(1), Tanh(inner)));
    }

    /// <summary>The weighted mean of the negative log likelihood of outcomes under log-odds: <c>sum w (softplus(z) - y z) / sum w</c>, a scalar.</summary>
    /// <param name="logOdds">z, any shape.</param>
    /// <param name="labels">y, same shape: 1 or 0.</param>
    /// <param name="weights">w, same shape: not negative, not all 0.</param>
    /// <remarks>From log-odds, not from probabilities: the gradient <c>w (sigmoid(z) - y) / sum w</c> neither saturates nor divides by 0.</remarks>
    public GraphTensor LogLoss(GraphTensor logOdds, GraphTensor labels, GraphTensor weights)
    {
        var tail = Graph.Unary("Log", Graph.Binary("Add", Graph.Scalar(1), Graph.Unary("Exp", Graph.Unary("Neg", Graph.Unary("Abs", logOdds)))));
        var losses = Graph.Binary("Sub", Graph.Binary("Add", Graph.Unary("Relu", logOdds), tail), Graph.Binary("Mul", labels, logOdds));
        var total = Graph.Sum(weights);
        var loss = Graph.Binary("Div", Graph.Sum(Graph.Binary("Mul", weights, losses)), total);
        return Record(loss, (logOdds, gradient => Graph.Binary("Mul", Graph.Binary("Div", gradient, total), Errors())));

        GraphTensor Errors() => Graph.Binary("Mul", weights, Graph.Binary("Sub", Graph.Unary("Sigmoid", logOdds), labels));
    }

    /// <summary>Writes the backward pass.</summary>
    /// <param name="output">What is differentiated.</param>
    /// <param name="seed">Gradient with respect to the output, of its shape; a scalar 1 for a loss.</param>
    /// <param name="leaves">With respect to what; each must lead to the output.</param>
    /// <returns>A gradient per leaf, of its shape.</returns>
    public IReadOnlyList<GraphTensor> Gradients(GraphTensor output, GraphTensor seed, IReadOnlyList<GraphTensor> leaves)
    {
        var needed = leaves.Select(leaf => leaf.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var step in tape.Where(step => step.Inputs.Any(input => needed.Contains(input.Tensor.Name))))
        {
            needed.Add(step.Output.Name);
        }

        var gradients = new Dictionary<string, GraphTensor>(StringComparer.Ordinal) { [output.Name] = seed };
        foreach (var step in Enumerable.Reverse(tape))
        {
            if (!gradients.TryGetValue(step.Output.Name, out var gradient))
            {
                continue;
            }

            foreach (var (tensor, backward) in step.Inputs.Where(input => needed.Contains(input.Tensor.Name)))
            {
                var part = backward(gradient);
                gradients[tensor.Name] = gradients.TryGetValue(tensor.Name, out var others) ? Graph.Binary("Add", others, part) : part;
            }
        }

        return [.. leaves.Select(leaf => gradients.TryGetValue(leaf.Name, out var gradient)
            ? gradient
            : throw new ArgumentException($"{leaf.Name} does not lead to {output.Name}", nameof(leaves)))];
    }

    private GraphTensor Record(GraphTensor output, params (GraphTensor Tensor, Func<GraphTensor, GraphTensor> Backward)[] inputs)
    {
        tape.Add(new(output, inputs));
        return output;
    }

    // Where a tensor was stretched, each of its values stood in several places: their gradients add up.
    private GraphTensor Shrink(GraphTensor gradient, GraphTensor to)
    {
        if (gradient.IsShapedLike(to))
        {
            return gradient;
        }

        if (to.Dimensions.Count == 0)
        {
            return Graph.Sum(gradient);
        }

        int lead = gradient.Dimensions.Count - to.Dimensions.Count;
        long[] axes = [.. Enumerable.Range(0, gradient.Dimensions.Count)
            .Where(axis => axis < lead || (to.Dimensions[axis - lead] == 1 && gradient.Dimensions[axis] != 1))
            .Select(axis => (long)axis)];
        var sum = Graph.Sum(gradient, axes);
        return lead == 0 ? sum : Graph.Reshape(sum, [.. to.Dimensions]);
    }

    private sealed record Step(GraphTensor Output, IReadOnlyList<(GraphTensor Tensor, Func<GraphTensor, GraphTensor> Backward)> Inputs);
}
