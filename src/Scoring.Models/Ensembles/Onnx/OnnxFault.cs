namespace Scoring.Models.Ensembles.Onnx;

/// <summary>One reason why an ONNX file is not taken.</summary>
/// <param name="Where">Byte offset, or the node, attribute or initializer: what to look at in the file.</param>
/// <param name="What">What is wrong there, in a sentence for the person who exported the model.</param>
public readonly record struct OnnxFault(string Where, string What)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Where}: {What}";
}
