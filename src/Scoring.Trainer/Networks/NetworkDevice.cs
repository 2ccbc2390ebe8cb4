namespace Scoring.Trainer.Networks;

/// <summary>Where ONNX Runtime trains.</summary>
internal enum NetworkDevice
{
    /// <summary>One core: the same seed gives the same bytes on the same machine.</summary>
    Cpu,

    /// <summary>The first CUDA device; needs the build flavour with ONNX Runtime's CUDA provider. Sums may round differently from run to run.</summary>
    Cuda,
}
