using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Scoring.Trainer.Networks;

/// <summary>A network in training: its parameters and moments stay in two sets of buffers on the device, each step reads one and writes the other.</summary>
/// <remarks>The same way on every device: what this process holds is carried by the transfer graph, a batch by its binding.</remarks>
internal sealed class TrainingSession : IDisposable
{
    private readonly NetworkShape shape;
    private readonly InferenceSession step;
    private readonly InferenceSession transfer;
    private readonly InferenceSession scoring;
    private readonly OrtAllocator allocator;
    private readonly RunOptions run = new();
    private readonly HostTensor rows;
    private readonly HostTensor labels;
    private readonly HostTensor weights;
    private readonly HostTensor stepNumber = new([]);
    private readonly HostTensor learningRate = new([]);
    private readonly HostTensor loss = new([]);
    private readonly HostTensor gradientNorm = new([]);
    private readonly BufferSet[] sets;
    private readonly OrtIoBinding[] bindings;
    private int current;

    /// <summary>Opens the graphs.</summary>
    /// <param name="shape">The network.</param>
    /// <param name="settings">Rows of a batch, rates, device.</param>
    /// <exception cref="TrainerException">The device is not there.</exception>
    public TrainingSession(NetworkShape shape, NetworkSettings settings)
    {
        this.shape = shape;
        rows = new([settings.BatchRows, shape.Inputs]);
        labels = new([settings.BatchRows, 1]);
        weights = new([settings.BatchRows, 1]);
        step = NetworkSession.Open(NetworkGraphs.Step(shape, settings), settings.Device);
        transfer = NetworkSession.Open(NetworkGraphs.Transfer(shape), settings.Device);
        scoring = NetworkSession.Open(NetworkGraphs.Scoring(shape), settings.Device);
        allocator = NetworkSession.Allocator(step, settings.Device);
        sets = [new(allocator, shape.ParameterCount), new(allocator, shape.ParameterCount)];
        bindings = [Bind(sets[0], sets[1]), Bind(sets[1], sets[0])];
    }

    /// <summary>Norm of the last step's gradients before they were shortened.</summary>
    public float GradientNorm => gradientNorm.Values[0];

    /// <summary>Starts anew from parameters, with empty moments.</summary>
    public void Start(ReadOnlySpan<float> parameters)
    {
        using var host = new HostSet(shape.ParameterCount);
        parameters.CopyTo(host.Parameters.Values);
        Transfer(host.Tensors, sets[0].Tensors);
        current = 0;
        stepNumber.Values[0] = 0;
    }

    /// <summary>Makes rows the batch of the next step.</summary>
    /// <param name="source">Prepared rows.</param>
    /// <param name="batch">Which of them: at most as many as the batch has room for.</param>
    /// <param name="fraudWeight">Weight of a fraud; an honest row weighs 1.</param>
    /// <remarks>The last batch of an epoch is seldom full: places that hold no row weigh 0 and say nothing.</remarks>
    public void Fill(NetworkRows source, ReadOnlySpan<int> batch, double fraudWeight)
    {
        weights.Values.Clear();
        for (int i = 0; i < batch.Length; i++)
        {
            bool isFraud = source.IsFraud[batch[i]];
            source.Row(batch[i]).CopyTo(rows.Values[(i * source.Width)..]);
            labels.Values[i] = isFraud ? 1 : 0;
            weights.Values[i] = isFraud ? (float)fraudWeight : 1;
        }
    }

    /// <summary>Learns from the batch.</summary>
    /// <param name="rate">Learning rate.</param>
    /// <returns>The batch's loss before the step.</returns>
    public float Step(double rate)
    {
        stepNumber.Values[0]++;
        learningRate.Values[0] = (float)rate;
        var binding = bindings[current];

        // A binding carries an input to the device when it is bound, not when it runs.
        binding.BindInput(NetworkGraphs.Rows, rows.Tensor);
        binding.BindInput(NetworkGraphs.Labels, labels.Tensor);
        binding.BindInput(NetworkGraphs.Weights, weights.Tensor);
        binding.BindInput(NetworkGraphs.StepNumber, stepNumber.Tensor);
        binding.BindInput(NetworkGraphs.LearningRate, learningRate.Tensor);
        step.RunWithBinding(run, binding);
        binding.SynchronizeBoundOutputs();
        current = 1 - current;
        return loss.Values[0];
    }

    /// <summary>The parameters as they are now.</summary>
    public float[] Read()
    {
        using var host = new HostSet(shape.ParameterCount);
        Transfer(sets[current].Tensors, host.Tensors);
        return host.Parameters.Values.ToArray();
    }

    /// <summary>Log-odds of prepared rows under the parameters as they are now.</summary>
    /// <param name="prepared">Row-major; any number of rows.</param>
    /// <param name="rowCount">How many.</param>
    public double[] Score(float[] prepared, int rowCount)
    {
        const int RowsAtOnce = 8_192;
        var logOdds = new double[rowCount];
        for (int start = 0; start < rowCount; start += RowsAtOnce)
        {
            int count = Math.Min(RowsAtOnce, rowCount - start);
            using var input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, prepared.AsMemory(start * shape.Inputs, count * shape.Inputs), [count, shape.Inputs]);
            using var output = new HostTensor([count, 1]);
            using var binding = scoring.CreateIoBinding();
            binding.BindInput(NetworkGraphs.Rows, input);
            binding.BindInput(NetworkGraphs.Parameters, sets[current].Tensors[0].Value);
            binding.BindOutput(NetworkGraphs.LogOdds, output.Tensor);
            scoring.RunWithBinding(run, binding);
            binding.SynchronizeBoundOutputs();
            for (int i = 0; i < count; i++)
            {
                logOdds[start + i] = output.Values[i];
            }
        }

        return logOdds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var owned in (IDisposable[])[.. bindings, .. sets, rows, labels, weights, stepNumber, learningRate, loss, gradientNorm, run, allocator, step, transfer, scoring])
        {
            owned.Dispose();
        }
    }

    private OrtIoBinding Bind(BufferSet from, BufferSet to)
    {
        var binding = step.CreateIoBinding();
        foreach (var (name, value) in from.Tensors)
        {
            binding.BindInput(name, value);
        }

        foreach (var (name, value) in to.Tensors)
        {
            binding.BindOutput(NetworkGraphs.Next(name), value);
        }

        binding.BindOutput(NetworkGraphs.Loss, loss.Tensor);
        binding.BindOutput(NetworkGraphs.GradientNorm, gradientNorm.Tensor);
        return binding;
    }

    private void Transfer((string Name, OrtValue Value)[] from, (string Name, OrtValue Value)[] to)
    {
        using var binding = transfer.CreateIoBinding();
        for (int i = 0; i < from.Length; i++)
        {
            binding.BindInput(from[i].Name, from[i].Value);
            binding.BindOutput(NetworkGraphs.Next(to[i].Name), to[i].Value);
        }

        transfer.RunWithBinding(run, binding);
        binding.SynchronizeBoundOutputs();
    }

    /// <summary>A float tensor in this process's memory.</summary>
    private sealed class HostTensor : IDisposable
    {
        private readonly float[] values;

        public HostTensor(long[] dimensions)
        {
            values = new float[dimensions.Aggregate(1L, (product, size) => product * size)];
            Tensor = OrtValue.CreateTensorValueFromMemory(values, dimensions);
        }

        public OrtValue Tensor { get; }

        public Span<float> Values => values;

        public void Dispose() => Tensor.Dispose();
    }

    /// <summary>Parameters and moments in this process's memory.</summary>
    private sealed class HostSet(int count) : IDisposable
    {
        private readonly HostTensor mean = new([count]);
        private readonly HostTensor square = new([count]);

        public HostTensor Parameters { get; } = new([count]);

        public (string Name, OrtValue Value)[] Tensors =>
            [(NetworkGraphs.Parameters, Parameters.Tensor), (NetworkGraphs.Mean, mean.Tensor), (NetworkGraphs.Square, square.Tensor)];

        public void Dispose()
        {
            Parameters.Dispose();
            mean.Dispose();
            square.Dispose();
        }
    }

    /// <summary>Parameters and moments in the device's memory.</summary>
    private sealed class BufferSet(OrtAllocator allocator, int count) : IDisposable
    {
        public (string Name, OrtValue Value)[] Tensors { get; } =
            [.. new[] { NetworkGraphs.Parameters, NetworkGraphs.Mean, NetworkGraphs.Square }
                .Select(name => (name, OrtValue.CreateAllocatedTensorValue(allocator, TensorElementType.Float, [count])))];

        public void Dispose()
        {
            foreach (var (_, value) in Tensors)
            {
                value.Dispose();
            }
        }
    }
}
