using CsCheck;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Trainer.Networks;

namespace Scoring.Trainer.Tests.Networks;

/// <summary>Every operator that can be differentiated, against central finite differences of its own forward pass, in double.</summary>
public sealed class GradientTests
{
    private const double Step = 1e-5;
    private const double Tolerance = 1e-7;

    private static readonly Gen<(long Rows, long Inner, long Columns, uint Seed)> Shapes =
        Gen.Select(Gen.Long[1, 7], Gen.Long[1, 6], Gen.Long[1, 5], Gen.UInt);

    [Fact]
    public void Sums_of_a_layer() => Shapes.Sample(
        shape => Check(shape.Seed, (graph, x) => graph.Affine(x[0], x[1], x[2]), [shape.Rows, shape.Inner], [shape.Inner, shape.Columns], [shape.Columns]), iter: 20);

    [Fact]
    public void Sum_with_a_row_a_column_and_a_scalar_stretched() => Shapes.Sample(
        shape => Check(shape.Seed, (graph, x) => graph.Add(graph.Add(x[3], graph.Add(graph.Add(x[0], x[1]), x[2])), x[0]), [shape.Rows, shape.Columns], [shape.Columns], [shape.Rows, 1], []), iter: 20);

    [Fact]
    public void Product_by_value_with_a_row_and_a_scalar_stretched() => Shapes.Sample(
        shape => Check(shape.Seed, (graph, x) => graph.Scale(x[2], graph.Scale(graph.Scale(x[0], x[1]), x[0])), [shape.Rows, shape.Columns], [shape.Columns], []), iter: 20);

    [Fact]
    public void Relu_away_from_its_corner() => Shapes.Sample(
        shape => Check(shape.Seed, (graph, x) => graph.Relu(x[0]), [shape.Rows, shape.Columns]), iter: 20);

    [Fact]
    public void Tanh() => Shapes.Sample(
        shape => Check(shape.Seed, (graph, x) => graph.Tanh(x[0]), [shape.Rows, shape.Columns]), iter: 20);

    [Fact]
    public void Gelu() => Shapes.Sample(
        shape => Check(shape.Seed, (graph, x) => graph.Gelu(x[0]), [shape.Rows, shape.Columns]), iter: 20);

    // Outcomes: mixed, all fraud, all honest. Weights: any, and rows that weigh nothing.
    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(0)]
    public void Log_loss(int outcome) => Shapes.Sample(
        shape =>
        {
            var random = new Random((int)(shape.Seed & int.MaxValue));
            double[] labels = [.. Enumerable.Range(0, (int)shape.Rows).Select(_ => outcome < 0 ? random.Next(2) : (double)outcome)];
            double[] weights = [.. Enumerable.Range(0, (int)shape.Rows).Select(row => row > 0 && random.Next(4) == 0 ? 0 : 0.1 + (20 * random.NextDouble()))];
            Check(shape.Seed, (graph, x) => graph.LogLoss(x[0], graph.Graph.Constant(labels, shape.Rows, 1), graph.Graph.Constant(weights, shape.Rows, 1)), [shape.Rows, 1]);
        },
        iter: 20);

    [Theory]
    [InlineData(-800, 0)]
    [InlineData(-800, 1)]
    [InlineData(800, 0)]
    [InlineData(800, 1)]
    public void Log_loss_of_certain_answers_is_finite_and_its_gradient_is_the_error(double logOdds, int label)
    {
        var graph = new DifferentiableGraph(new(OnnxElementType.Double));
        var x = graph.Graph.Input("x", 1, 1);
        var loss = graph.LogLoss(x, graph.Graph.Constant([label], 1, 1), graph.Graph.Constant([3], 1, 1));
        graph.Graph.Output("loss", loss);
        graph.Graph.Output("gradient", graph.Gradients(loss, graph.Graph.Scalar(1), [x])[0]);
        using var runner = new GraphRunner(graph.Graph.Build("certain"));

        var found = runner.Run(("x", [logOdds], [1, 1]));

        bool isRight = logOdds > 0 == (label == 1);
        Assert.Equal(isRight ? 0 : 800, found["loss"][0], 1e-9);
        Assert.Equal(isRight ? 0 : Math.Sign(logOdds), found["gradient"][0], 1e-9);
    }

    [Fact]
    public void Relu_at_0_has_slope_0()
    {
        var graph = new DifferentiableGraph(new(OnnxElementType.Double));
        var x = graph.Graph.Input("x", 3);
        var y = graph.Relu(x);
        graph.Graph.Output("gradient", graph.Gradients(y, graph.Graph.Constant([1, 1, 1], 3), [x])[0]);
        using var runner = new GraphRunner(graph.Graph.Build("corner"));

        Assert.Equal([0, 0, 1], runner.Run(("x", [-0.0, 0.0, double.Epsilon], [3]))["gradient"]);
    }

    [Fact]
    public void What_does_not_lead_to_the_output_has_no_gradient()
    {
        var graph = new DifferentiableGraph(new(OnnxElementType.Double));
        var (x, other) = (graph.Graph.Input("x", 2), graph.Graph.Input("other", 2));
        var y = graph.Relu(x);

        var refused = Assert.Throws<ArgumentException>(() => graph.Gradients(y, y, [x, other]));

        Assert.Contains("other does not lead to", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_where_the_graph_is_built()
    {
        var graph = new GraphBuilder(OnnxElementType.Float);
        Assert.Throws<ArgumentException>(() => graph.Multiply(graph.Input("a", 2, 3), graph.Input("b", 2, 3)));
        Assert.Throws<ArgumentException>(() => graph.Binary("Add", graph.Input("c", 2, 3), graph.Input("d", 2)));
    }

    // The output is projected on a random direction r; the gradient of r . f(x) is what Gradients gives for the seed r.
    private static void Check(uint seed, Func<DifferentiableGraph, GraphTensor[], GraphTensor> write, params long[][] shapes)
    {
        var random = new Random((int)(seed & int.MaxValue));
        var graph = new DifferentiableGraph(new(OnnxElementType.Double));
        GraphTensor[] leaves = [.. shapes.Select((shape, i) => graph.Graph.Input($"x{i}", shape))];
        var output = write(graph, leaves);
        double[] direction = Values(random, output.Count);
        graph.Graph.Output("output", output);
        var gradients = graph.Gradients(output, graph.Graph.Constant(direction, [.. output.Dimensions]), leaves);
        for (int i = 0; i < leaves.Length; i++)
        {
            graph.Graph.Output($"gradient{i}", gradients[i]);
        }

        using var runner = new GraphRunner(graph.Graph.Build("check"));
        double[][] at = [.. leaves.Select(leaf => Values(random, leaf.Count))];
        var found = Run();
        for (int i = 0; i < leaves.Length; i++)
        {
            for (int j = 0; j < at[i].Length; j++)
            {
                double x = at[i][j];
                at[i][j] = x + Step;
                double above = Project();
                at[i][j] = x - Step;
                double below = Project();
                at[i][j] = x;
                double expected = (above - below) / (2 * Step);
                double actual = found[$"gradient{i}"][j];
                Assert.True(Math.Abs(actual - expected) <= Tolerance * Math.Max(1, Math.Abs(expected)), $"input {i}, value {j} = {x}: {actual} where finite differences give {expected}");
            }
        }

        Dictionary<string, double[]> Run() => runner.Run([.. leaves.Select((leaf, i) => (leaf.Name, at[i], shapes[i]))]);

        double Project() => Run()["output"].Zip(direction, (value, weight) => value * weight).Sum();
    }

    // Away from 0, where ReLU and the absolute value have a corner; small and large.
    private static double[] Values(Random random, long count) =>
        [.. Enumerable.Range(0, (int)count).Select(_ => (random.Next(2) == 0 ? -1 : 1) * (0.01 + (2.5 * random.NextDouble())))];
}
