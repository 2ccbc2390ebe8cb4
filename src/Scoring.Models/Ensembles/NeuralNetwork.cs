using Microsoft.ML.OnnxRuntime;
using Scoring.Models.Ensembles.Devices;
using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Models.Ensembles;

/// <summary>A model that ONNX Runtime runs: networks, and the ensembles that our tree engine does not take.</summary>
/// <remarks>
/// One session per model, shared by all lanes; buffers are per instance, so a lane takes its own by <see cref="ForAnotherLane"/>.
/// One thread, no spinning: a lane is a thread already. Batches run in buckets of 16, 64, 256 or 1,024 rows over buffers bound once,
/// because a fixed shape costs ONNX Runtime 2.3 us per run and nothing on the heap.
/// </remarks>
public sealed class NeuralNetwork : IDisposable
{
    private static readonly int[] BucketRows = [16, 64, 256, 1024];

    private readonly NeuralNetworkSession session;
    private readonly NeuralNetworkBucket?[] buckets = new NeuralNetworkBucket?[BucketRows.Length];
    private readonly NeuralNetworkBucket? singleRow;
    private bool disposed;

    private NeuralNetwork(NeuralNetworkSession session)
    {
        this.session = session;
        FeatureCount = session.FeatureCount;

        // A scale taken over the batch would make a row's score depend on its neighbours: such models run row by row.
        if (session.DependsOnBatch)
        {
            singleRow = new NeuralNetworkBucket(session, 1);
            return;
        }

        for (int i = 0; i < BucketRows.Length; i++)
        {
            buckets[i] = new NeuralNetworkBucket(session, BucketRows[i]);
        }
    }

    /// <summary>Values per row.</summary>
    public int FeatureCount { get; }

    /// <summary>Name of the output that is the score.</summary>
    public string ScoreOutput => session.ScoreName;

    /// <summary>Loads a checked model.</summary>
    /// <param name="model">A model that <see cref="OnnxCheck"/> has passed.</param>
    /// <param name="reason">Why not, where the answer is null.</param>
    /// <param name="scoreColumn">Column of the output that is the score. By default the only one, or the second of two (class 1).</param>
    /// <param name="provider">Where it runs. By default on the CPU.</param>
    public static NeuralNetwork? Create(CheckedOnnx model, out string reason, int? scoreColumn = null, ExecutionProvider? provider = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        NeuralNetworkSession? opened = NeuralNetworkSession.Open(model, scoreColumn, provider ?? ExecutionProvider.Cpu, out reason);
        return opened is null ? null : new NeuralNetwork(opened);
    }

    /// <summary>The same session with buffers of its own.</summary>
    public NeuralNetwork ForAnotherLane()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        session.Share();
        return new NeuralNetwork(session);
    }

    /// <summary>Scores rows. Not for two threads at once on one instance.</summary>
    /// <param name="rowMajor"><paramref name="rowCount"/> x <see cref="FeatureCount"/> values.</param>
    /// <param name="rowCount">Rows, any number.</param>
    /// <param name="outputs">One output per row, as the model gives it: a probability for classifiers.</param>
    /// <exception cref="ArgumentException">A span is not of its stated length.</exception>
    /// <exception cref="OnnxRuntimeException">The session failed: a step down the ladder, not an answer.</exception>
    public void Score(ReadOnlySpan<float> rowMajor, int rowCount, Span<double> outputs)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (rowMajor.Length != (long)rowCount * FeatureCount)
            throw new ArgumentException($"{rowCount} rows x {FeatureCount} values are due, got {rowMajor.Length}", nameof(rowMajor));
        if (outputs.Length != rowCount)
            throw new ArgumentException($"{rowCount} outputs are due, got {outputs.Length}", nameof(outputs));
        for (int done = 0; done < rowCount;)
        {
            NeuralNetworkBucket bucket = BucketFor(rowCount - done);
            int count = Math.Min(bucket.RowCount, rowCount - done);
            bucket.Run(rowMajor.Slice(done * FeatureCount, count * FeatureCount), outputs.Slice(done, count));
            done += count;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        singleRow?.Dispose();
        foreach (NeuralNetworkBucket? bucket in buckets)
            bucket?.Dispose();
        session.Release();
    }

    private NeuralNetworkBucket BucketFor(int rowCount)
    {
        if (singleRow is not null)
            return singleRow;
        int index = 0;
        while (index < BucketRows.Length - 1 && BucketRows[index] < rowCount)
            index++;
        return buckets[index]!;
    }
}
