using CsCheck;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Trainer.Networks;

namespace Scoring.Trainer.Tests.Networks;

/// <summary>Whole training steps against loops in plain C#.</summary>
public sealed class TrainingStepTests
{
    [Fact]
    public void Steps_in_double_are_those_of_the_reference() => Gen.Select(Gen.Int[1, 9], Gen.Int[1, 6], Gen.Int[0, 5].Array[0, 3], Gen.Double[0.01, 5], Gen.UInt).Sample(
        (batchRows, inputs, hidden, normMax, seed) =>
        {
            var world = new World(batchRows, inputs, [.. hidden.Select(width => width + 1)], normMax, seed);
            using var runner = new GraphRunner(NetworkGraphs.Step(world.Shape, world.Settings, OnnxElementType.Double));
            long count = world.Shape.ParameterCount;
            double[] parameters = world.Parameters, mean = new double[count], square = new double[count];
            double[] expected = [.. parameters], expectedMean = new double[count], expectedSquare = new double[count];
            for (int step = 1; step <= 4; step++)
            {
                double loss = world.Reference.Step(world.Rows, world.Labels, world.Weights, expected, expectedMean, expectedSquare, step, 0.01, world.Settings);
                var found = runner.Run(
                    (NetworkGraphs.Rows, [.. world.Rows.SelectMany(row => row)], [batchRows, inputs]),
                    (NetworkGraphs.Labels, world.Labels, [batchRows, 1]),
                    (NetworkGraphs.Weights, world.Weights, [batchRows, 1]),
                    (NetworkGraphs.Parameters, parameters, [count]),
                    (NetworkGraphs.Mean, mean, [count]),
                    (NetworkGraphs.Square, square, [count]),
                    (NetworkGraphs.StepNumber, [step], []),
                    (NetworkGraphs.LearningRate, [0.01], []));
                (parameters, mean, square) = (found[NetworkGraphs.Next(NetworkGraphs.Parameters)], found[NetworkGraphs.Next(NetworkGraphs.Mean)], found[NetworkGraphs.Next(NetworkGraphs.Square)]);
                Assert.Equal(loss, found[NetworkGraphs.Loss][0], 1e-9);
                AssertClose(expectedMean, mean, 1e-10, "mean");
                AssertClose(expectedSquare, square, 1e-10, "square");
                AssertClose(expected, parameters, 1e-6, "parameters"); // m / sqrt(v) of a gradient near 0 magnifies its rounding
            }
        },
        iter: 40);

    [Fact]
    public void A_session_keeps_its_parameters_between_steps_and_counts_a_short_batch_as_it_is()
    {
        const int BatchRows = 32;
        const int RowCount = 20; // 12 rows of the batch weigh nothing and hold noise
        var world = new World(RowCount, 5, [7, 3], normMax: 1, seed: 5);
        using var session = new TrainingSession(world.Shape, world.Settings with { BatchRows = BatchRows });
        session.Start([.. world.Parameters.Select(value => (float)value)]);
        double[] expected = [.. world.Parameters.Select(value => (double)(float)value)];
        double[] mean = new double[expected.Length], square = new double[expected.Length];
        session.Rows.Fill(1e6f);
        for (int step = 1; step <= 50; step++)
        {
            for (int row = 0; row < RowCount; row++)
            {
                for (int i = 0; i < 5; i++)
                {
                    session.Rows[(row * 5) + i] = (float)world.Rows[row][i];
                }

                (session.Labels[row], session.Weights[row]) = ((float)world.Labels[row], (float)world.Weights[row]);
            }

            double loss = world.Reference.Step(world.Rows, world.Labels, world.Weights, expected, mean, square, step, 0.003, world.Settings);
            Assert.Equal(loss, session.Step(0.003), 1e-4);
        }

        AssertClose(expected, Array.ConvertAll(session.Read(), value => (double)value), 1e-3, "parameters");
        var logOdds = session.Score([.. world.Rows.SelectMany(row => row).Select(value => (float)value)], RowCount);
        AssertClose([.. world.Rows.Select(row => world.Reference.LogOdds(row, expected))], logOdds, 1e-3, "log-odds");
    }

    [Fact]
    public void A_session_starts_anew_as_if_it_were_a_new_one()
    {
        var world = new World(16, 4, [6], normMax: 1, seed: 9);
        float[] start = [.. world.Parameters.Select(value => (float)value)];
        using var session = new TrainingSession(world.Shape, world.Settings);
        float[] first = Learn(), second = Learn();

        Assert.Equal(first, second);
        Assert.NotEqual(start, first);

        float[] Learn()
        {
            session.Start(start);
            Assert.Equal(start, session.Read());
            for (int step = 0; step < 3; step++)
            {
                world.Rows.SelectMany(row => row).Select(value => (float)value).ToArray().CopyTo(session.Rows);
                world.Labels.Select(value => (float)value).ToArray().CopyTo(session.Labels);
                session.Weights.Fill(1);
                session.Step(0.01);
            }

            return session.Read();
        }
    }

    [Fact]
    public void A_device_that_is_not_there_is_said_to_be_missing()
    {
        var world = new World(4, 2, [2], normMax: 1, seed: 1);
        try
        {
            using var session = new TrainingSession(world.Shape, world.Settings with { Device = NetworkDevice.Cuda });
            Assert.Skip("CUDA is there");
        }
        catch (TrainerException e)
        {
            Assert.Equal(78, e.ExitCode);
            Assert.Contains("--network-device cuda", e.Message, StringComparison.Ordinal);
        }
    }

    private static void AssertClose(double[] expected, double[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])), $"{what} {i}: {actual[i]:R} where {expected[i]:R} is due");
        }
    }

    private sealed class World
    {
        public World(int rowCount, int inputs, int[] hidden, double normMax, uint seed)
        {
            var random = new Random((int)(seed & int.MaxValue));
            Shape = new(inputs, hidden, Activation.Relu);
            Settings = new() { Hidden = hidden, BatchRows = rowCount, GradientNormMax = normMax, WeightDecay = 0.1 };
            Reference = new(Shape);
            Rows = [.. Enumerable.Range(0, rowCount).Select(_ => Enumerable.Range(0, inputs).Select(_ => (4 * random.NextDouble()) - 2).ToArray())];
            int outcomes = random.Next(3); // all honest, all fraud, mixed
            Labels = [.. Rows.Select(_ => outcomes < 2 ? outcomes : (double)random.Next(2))];
            Weights = [.. Rows.Select(_ => 0.5 + (10 * random.NextDouble()))];
            Parameters = [.. Shape.Initialise(random, 0.3).Select(value => (double)value)];
        }

        public NetworkShape Shape { get; }

        public NetworkSettings Settings { get; }

        public ReferenceNetwork Reference { get; }

        public double[][] Rows { get; }

        public double[] Labels { get; }

        public double[] Weights { get; }

        public double[] Parameters { get; }
    }
}
