namespace Scoring.Models.Ensembles.Onnx;

/// <summary>A model that passed <see cref="OnnxCheck"/>. Only the check makes one, and only one may reach native code.</summary>
public sealed class CheckedOnnx
{
    internal CheckedOnnx(OnnxModel model, OnnxValue input)
    {
        Model = model;
        InputName = input.Name;
        RowDimensions = [.. input.Dimensions!.Skip(1)];
        FeatureCount = (int)RowDimensions.Aggregate(1L, (product, size) => product * size);
    }

    /// <summary>The decoded model.</summary>
    public OnnxModel Model { get; }

    /// <summary>Name of the only input.</summary>
    public string InputName { get; }

    /// <summary>Shape of one row: [features], or [steps, features] for a sequence model.</summary>
    public IReadOnlyList<long> RowDimensions { get; }

    /// <summary>Values per row: the product of <see cref="RowDimensions"/>.</summary>
    public int FeatureCount { get; }

    /// <summary>The model written anew from what was checked, so that no other reader can see in the file what we did not.</summary>
    public byte[] ToBytes() => OnnxWriter.Write(Model);
}
