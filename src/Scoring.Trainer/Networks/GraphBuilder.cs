using System.Globalization;
using System.Runtime.InteropServices;
using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Trainer.Networks;

/// <summary>Writes an ONNX graph node by node and follows the shapes. Floating-point values are of one type throughout.</summary>
/// <param name="elementType">Float for what is trained and published, Double where gradients are compared with finite differences.</param>
/// <remarks>Shapes that do not fit are our own mistakes: they throw where the graph is built, not when it runs.</remarks>
internal sealed class GraphBuilder(OnnxElementType elementType)
{
    private const long OperatorSet = 17;

    private readonly List<OnnxNode> nodes = [];
    private readonly List<OnnxTensor> constants = [];
    private readonly List<OnnxValue> inputs = [];
    private readonly List<OnnxValue> outputs = [];

    /// <summary>Type of the floating-point values.</summary>
    public OnnxElementType ElementType { get; } = elementType;

    /// <summary>Declares an input.</summary>
    public GraphTensor Input(string name, params long[] dimensions)
    {
        inputs.Add(Value(name, dimensions));
        return new(name, dimensions);
    }

    /// <summary>Declares an output and gives it its name.</summary>
    public void Output(string name, GraphTensor tensor)
    {
        nodes.Add(new() { Operator = "Identity", Inputs = [tensor.Name], Outputs = [name] });
        outputs.Add(Value(name, tensor.Dimensions));
    }

    /// <summary>A constant, row-major, rounded to the graph's type.</summary>
    public GraphTensor Constant(ReadOnlySpan<double> values, params long[] dimensions)
    {
        byte[] bytes = ElementType == OnnxElementType.Double
            ? MemoryMarshal.AsBytes(values).ToArray()
            : MemoryMarshal.AsBytes<float>(Array.ConvertAll(values.ToArray(), value => (float)value)).ToArray();
        return Keep(new() { Name = NextName("constant"), ElementType = ElementType, Dimensions = dimensions, Bytes = bytes });
    }

    /// <summary>A constant without dimensions.</summary>
    public GraphTensor Scalar(double value) => Constant([value]);

    /// <summary>A constant of whole numbers: indices, shapes, sizes.</summary>
    public GraphTensor Whole(params long[] values) => Keep(OnnxTensor.Of(NextName("whole"), values, values.Length));

    /// <summary>An operator of one input that keeps the shape.</summary>
    public GraphTensor Unary(string name, GraphTensor x, params OnnxSetting[] settings) => Node(name, [x], x.Dimensions, settings);

    /// <summary>An operator of two inputs that are stretched to one another.</summary>
    public GraphTensor Binary(string name, GraphTensor a, GraphTensor b) => Node(name, [a, b], Stretch(a, b));

    /// <summary>The product of two matrices, each transposed first where it is said so, and a row that is added to each of its rows.</summary>
    public GraphTensor Multiply(GraphTensor a, GraphTensor b, GraphTensor? row = null, bool transposeA = false, bool transposeB = false)
    {
        var (rows, inner) = transposeA ? (a.Dimensions[1], a.Dimensions[0]) : (a.Dimensions[0], a.Dimensions[1]);
        var (from, columns) = transposeB ? (b.Dimensions[1], b.Dimensions[0]) : (b.Dimensions[0], b.Dimensions[1]);
        if (inner != from)
        {
            throw new ArgumentException($"[{string.Join(", ", a.Dimensions)}] and [{string.Join(", ", b.Dimensions)}] do not multiply", nameof(b));
        }

        GraphTensor[] factors = row is null ? [a, b] : [a, b, row];
        return Node("Gemm", factors, [rows, columns], OnnxSetting.Of("transA", transposeA ? 1L : 0), OnnxSetting.Of("transB", transposeB ? 1L : 0));
    }

    /// <summary>The sum of all values, a scalar.</summary>
    public GraphTensor Sum(GraphTensor x) => Node("ReduceSum", [x], [], OnnxSetting.Of("keepdims", 0L));

    /// <summary>The sum over some dimensions, which are kept with size 1.</summary>
    public GraphTensor Sum(GraphTensor x, params long[] axes)
    {
        long[] dimensions = [.. x.Dimensions.Select((size, axis) => axes.Contains(axis) ? 1 : size)];
        return Node("ReduceSum", [x, Whole(axes)], dimensions, OnnxSetting.Of("keepdims", 1L));
    }

    /// <summary>The same values in another shape.</summary>
    public GraphTensor Reshape(GraphTensor x, params long[] dimensions) => Node("Reshape", [x, Whole(dimensions)], dimensions);

    /// <summary>Some columns of a matrix, in the order given.</summary>
    public GraphTensor Columns(GraphTensor x, params long[] columns) =>
        Node("Gather", [x, Whole(columns)], [x.Dimensions[0], columns.Length], OnnxSetting.Of("axis", 1L));

    /// <summary>Tensors side by side along a dimension.</summary>
    public GraphTensor Concatenate(int axis, params GraphTensor[] parts)
    {
        long[] dimensions = [.. parts[0].Dimensions];
        dimensions[axis] = parts.Sum(part => part.Dimensions[axis]);
        return Node("Concat", parts, dimensions, OnnxSetting.Of("axis", (long)axis));
    }

    /// <summary>A vector cut into tensors of the given shapes, one behind the other.</summary>
    public IReadOnlyList<GraphTensor> Cut(GraphTensor vector, IReadOnlyList<long[]> shapes)
    {
        long[] sizes = [.. shapes.Select(shape => shape.Aggregate(1L, (product, size) => product * size))];
        string[] names = [.. sizes.Select((_, i) => NextName("part" + i.ToString(CultureInfo.InvariantCulture)))];
        nodes.Add(new() { Operator = "Split", Inputs = [vector.Name, Whole(sizes).Name], Outputs = names, Settings = [OnnxSetting.Of("axis", 0L)] });
        return [.. shapes.Select((shape, i) => Reshape(new(names[i], [sizes[i]]), shape))];
    }

    /// <summary>Any operator whose output shape the caller knows.</summary>
    public GraphTensor Node(string name, IReadOnlyList<GraphTensor> from, IReadOnlyList<long> dimensions, params OnnxSetting[] settings)
    {
        var made = new GraphTensor(NextName(name), dimensions);
        nodes.Add(new() { Operator = name, Inputs = [.. from.Select(tensor => tensor.Name)], Outputs = [made.Name], Settings = settings });
        return made;
    }

    /// <summary>The finished model.</summary>
    public OnnxModel Build(string name) => new()
    {
        ProducerName = "FraudScoring",
        OperatorSets = [new("", OperatorSet)],
        Graph = new() { Name = name, Nodes = [.. nodes], Initializers = [.. constants], Inputs = [.. inputs], Outputs = [.. outputs] },
    };

    private static long[] Stretch(GraphTensor a, GraphTensor b)
    {
        int rank = Math.Max(a.Dimensions.Count, b.Dimensions.Count);
        var dimensions = new long[rank];
        for (int i = 1; i <= rank; i++)
        {
            long left = i <= a.Dimensions.Count ? a.Dimensions[^i] : 1;
            long right = i <= b.Dimensions.Count ? b.Dimensions[^i] : 1;
            if (left != right && left != 1 && right != 1)
            {
                throw new ArgumentException($"[{string.Join(", ", a.Dimensions)}] and [{string.Join(", ", b.Dimensions)}] do not stretch to one another", nameof(b));
            }

            dimensions[^i] = left == 1 ? right : left;
        }

        return dimensions;
    }

    private GraphTensor Keep(OnnxTensor constant)
    {
        constants.Add(constant);
        return new(constant.Name, constant.Dimensions);
    }

    private OnnxValue Value(string name, IReadOnlyList<long> dimensions) => new() { Name = name, ElementType = ElementType, Dimensions = dimensions };

    private string NextName(string stem) => string.Create(CultureInfo.InvariantCulture, $"{stem}_{nodes.Count + constants.Count}");
}
