using Microsoft.ML.OnnxRuntime;

namespace Scoring.Models.Ensembles.Devices;

/// <summary>Where ONNX Runtime runs a session: the CPU, or a CUDA device of the library itself or of a plugin.</summary>
/// <remarks>A session on a device adds in another order than one on the CPU but rounds no factor: TF32 is switched off where it can be.</remarks>
public sealed class ExecutionProvider
{
    private const string CudaProvider = "CUDAExecutionProvider";
    private const string PluginName = "fraudscoring_device";

    private static readonly Lock Gate = new();
    private static string? registeredPath;

    private readonly Action<SessionOptions> addTo;

    private ExecutionProvider(string name, Action<SessionOptions> addTo)
    {
        Name = name;
        this.addTo = addTo;
    }

    /// <summary>The processor: what scores where nothing else is asked for.</summary>
    public static ExecutionProvider Cpu { get; } = new("cpu", static _ => { });

    /// <summary>What a reader of logs and metrics knows it by: cpu or cuda.</summary>
    public string Name { get; }

    /// <summary>Opens a CUDA device. Never throws on what the machine lacks.</summary>
    /// <param name="libraryPath">Library of a plugin execution provider, or null for the provider inside ONNX Runtime's GPU package.</param>
    /// <param name="deviceId">Device, from 0.</param>
    /// <param name="fault">Why not, where the answer is null.</param>
    public static ExecutionProvider? OpenCuda(string? libraryPath, int deviceId, out DeviceFault? fault)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(deviceId);
        OrtEnv environment = OnnxRuntimeEnvironment.Instance;
        try
        {
            ExecutionProvider? provider = libraryPath is null
                ? BuiltIn(environment, deviceId, out fault)
                : Plugin(environment, Path.GetFullPath(libraryPath), deviceId, out fault);
            if (provider is null)
                return null;
            using SessionOptions trial = provider.Options(); // Loads the provider's libraries and asks the driver.
            return provider;
        }
        catch (Exception refused) when (refused is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException or IOException)
        {
            fault = new DeviceFault(DeviceFaultCode.NoDevice, refused.Message);
            return null;
        }
    }

    /// <summary>Options of a session here: one thread of the CPU beside the device, no spinning.</summary>
    internal SessionOptions Options()
    {
        OnnxRuntimeEnvironment.EnsureQuiet();
        var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        try
        {
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
            addTo(options);
            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    private static ExecutionProvider? BuiltIn(OrtEnv environment, int deviceId, out DeviceFault? fault)
    {
        if (!environment.GetAvailableProviders().Contains(CudaProvider, StringComparer.Ordinal))
        {
            fault = new DeviceFault(DeviceFaultCode.NoLibrary, "this build holds ONNX Runtime's CPU package: build with -p:OnnxRuntimeFlavor=Gpu or name a plugin's library");
            return null;
        }

        fault = null;
        return new ExecutionProvider("cuda", options =>
        {
            using var cuda = new OrtCUDAProviderOptions();
            cuda.UpdateOptions(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["device_id"] = deviceId.ToString(System.Globalization.CultureInfo.InvariantCulture),
                ["use_tf32"] = "0",
            });
            options.AppendExecutionProvider_CUDA(cuda);
        });
    }

    private static ExecutionProvider? Plugin(OrtEnv environment, string path, int deviceId, out DeviceFault? fault)
    {
        if (!File.Exists(path))
        {
            fault = new DeviceFault(DeviceFaultCode.NoLibrary, $"{path}: there is no such file");
            return null;
        }

        lock (Gate)
        {
            if (registeredPath is not null && !string.Equals(registeredPath, path, StringComparison.Ordinal))
            {
                fault = new DeviceFault(DeviceFaultCode.NoLibrary, $"{path}: this process has {registeredPath} already");
                return null;
            }

            if (registeredPath is null)
            {
                try
                {
                    environment.RegisterExecutionProviderLibrary(PluginName, path);
                    registeredPath = path;
                }
                catch (Exception refused) when (refused is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException)
                {
                    fault = new DeviceFault(DeviceFaultCode.NoLibrary, $"{path}: {refused.Message}");
                    return null;
                }
            }
        }

        OrtEpDevice[] devices = [.. environment.GetEpDevices().Where(device => device.HardwareDevice.Type == OrtHardwareDeviceType.GPU && device.EpName.Contains("cuda", StringComparison.OrdinalIgnoreCase))];
        if (deviceId >= devices.Length)
        {
            fault = new DeviceFault(DeviceFaultCode.NoDevice, $"{path} finds {devices.Length} devices; device {deviceId} is not among them");
            return null;
        }

        fault = null;
        return new ExecutionProvider("cuda", options => options.AppendExecutionProvider(
            environment, [devices[deviceId]], new Dictionary<string, string>(StringComparer.Ordinal) { ["use_tf32"] = "0" }));
    }
}
