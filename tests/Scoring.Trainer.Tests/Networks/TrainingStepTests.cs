using CsCheck;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Trainer.Networks;

namespace Scoring.Trainer.Tests.Networks;

/// <summary>Whole training steps against loops in plain C#.</summary>
public sealed class TrainingStepTests(ITestOutputHelper output)
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
        const int RowCount = 20; // of a batch of 32: 12 places weigh nothing, and hold what an earlier batch left
        var world = new World(RowCount, 5, [7, 3], normMax: 1, seed: 5);
        var noise = new NetworkRows([.. Enumerable.Repeat(1e6f, 32 * 5)], new bool[32], 5);
        using var session = new TrainingSession(world.Shape, world.Settings with { BatchRows = 32 });
        session.Fill(noise, [.. Enumerable.Range(0, 32)], fraudWeight: 1);
        session.Step(0);
        session.Start([.. world.Parameters.Select(value => (float)value)]);
        double[] expected = [.. world.Parameters.Select(value => (double)(float)value)];
        double[] mean = new double[expected.Length], square = new double[expected.Length];
        double[] weights = [.. world.Labels.Select(label => label == 1 ? 3.0 : 1.0)];
        for (int step = 1; step <= 50; step++)
        {
            session.Fill(world.NetworkRows, [.. Enumerable.Range(0, RowCount)], fraudWeight: 3);
            double loss = world.Reference.Step(world.Rows, world.Labels, weights, expected, mean, square, step, 0.003, world.Settings);
            Assert.Equal(loss, session.Step(0.003), 1e-4);
        }

        AssertClose(expected, Array.ConvertAll(session.Read(), value => (double)value), 1e-3, "parameters");
        AssertClose([.. world.Rows.Select(row => world.Reference.LogOdds(row, expected))], session.Score(world.NetworkRows.Prepared, RowCount), 1e-3, "log-odds");
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
                session.Fill(world.NetworkRows, [.. Enumerable.Range(0, 16)], fraudWeight: 1);
                session.Step(0.01);
            }

            return session.Read();
        }
    }

    // docs/networks.md quotes what this prints: CPU time, which other processes disturb less than time on the wall.
    [Fact]
    public void Epochs_of_200_000_rows_lower_the_loss_and_print_their_cost()
    {
        const int Inputs = 30;
        var settings = new NetworkSettings();
        var shape = new NetworkShape(Inputs, settings.Hidden, settings.Activation);
        var random = new Random(1);
        float[] values = [.. Enumerable.Range(0, 200_000 * Inputs).Select(_ => (float)((2 * random.NextDouble()) - 1))];
        bool[] isFraud = [.. Enumerable.Range(0, 200_000).Select(row => values[row * Inputs] + values[(row * Inputs) + 1] > 1.8)];
        var rows = new NetworkRows(values, isFraud, Inputs);
        int[] order = [.. Enumerable.Range(0, rows.Count)];
        using var session = new TrainingSession(shape, settings);
        session.Start(shape.Initialise(random, -4));
        var losses = new List<double>();
        for (int epoch = 0; epoch < 4; epoch++)
        {
            var started = Environment.CpuUsage.TotalTime;
            random.Shuffle(order);
            double loss = 0;
            for (int start = 0; start < order.Length; start += settings.BatchRows)
            {
                session.Fill(rows, order.AsSpan(start, Math.Min(settings.BatchRows, order.Length - start)), fraudWeight: 1);
                loss += session.Step(0.001);
            }

            losses.Add(loss);
            output.WriteLine($"200,000 rows x {Inputs}, {string.Join('-', settings.Hidden)}-1, batches of {settings.BatchRows}: {(Environment.CpuUsage.TotalTime - started).TotalSeconds:0.000} s of CPU an epoch");
        }

        Assert.Equal(losses.OrderDescending(), losses);
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

        public NetworkRows NetworkRows => new([.. Rows.SelectMany(row => row).Select(value => (float)value)], [.. Labels.Select(label => label == 1)], Shape.Inputs);

        public double[] Labels { get; }

        public double[] Weights { get; }

        public double[] Parameters { get; }
    }
}
