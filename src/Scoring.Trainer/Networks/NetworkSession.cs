using Microsoft.ML.OnnxRuntime;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Trainer.Networks;

/// <summary>Opens the trainer's own graphs in ONNX Runtime: one thread, no spinning, on the device asked for.</summary>
internal static class NetworkSession
{
    /// <summary>Opens a graph.</summary>
    /// <exception cref="TrainerException">The device is not there, or this build cannot use it.</exception>
    public static InferenceSession Open(OnnxModel model, NetworkDevice device)
    {
        OnnxRuntimeEnvironment.EnsureQuiet();
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
        if (device == NetworkDevice.Cuda)
        {
            AppendCuda(options);
        }

        return new InferenceSession(OnnxWriter.Write(model), options);
    }

    /// <summary>Memory of the device that a session runs on.</summary>
    public static OrtAllocator Allocator(InferenceSession session, NetworkDevice device)
    {
        using var memory = device == NetworkDevice.Cuda
            ? new OrtMemoryInfo(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default)
            : new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
        return new OrtAllocator(session, memory);
    }

    private static void AppendCuda(SessionOptions options)
    {
        try
        {
            options.AppendExecutionProvider_CUDA(0);
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException)
        {
            throw new TrainerException(ExitCode.Configuration, $"--network-device cuda: ONNX Runtime has no CUDA here ({e.Message}); build with -p:OnnxRuntimeFlavor=Gpu on a machine with a driver, or train on cpu", e);
        }
    }
}
