using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Scoring.Models.Ensembles;

/// <summary>The one door to ONNX Runtime: its telemetry is off before its library loads.</summary>
/// <remarks>
/// Since 1.29 the Linux builds send model names, weight hashes and more to Microsoft unless <c>ORT_DISABLE_TELEMETRY</c> is set when
/// the library starts. On Unix <see cref="Environment.SetEnvironmentVariable(string, string)"/> changes .NET's copy only, which native
/// <c>getenv</c> never sees: hence libc's own <c>setenv</c>. A payment scorer opens no connection that its operator did not ask for.
/// </remarks>
public static partial class OnnxRuntimeEnvironment
{
    private const string Variable = "ORT_DISABLE_TELEMETRY";

    private static readonly Lazy<OrtEnv> Quiet = new(Start);

    /// <summary>The environment, quiet. Every session is made after this was called.</summary>
    /// <exception cref="InvalidOperationException">The variable could not be set: better no scorer than a talking one.</exception>
    public static OrtEnv Instance => Quiet.Value;

    /// <summary>Makes sure that the library, once it loads, stays silent.</summary>
    public static void EnsureQuiet() => _ = Instance;

    private static OrtEnv Start()
    {
        Environment.SetEnvironmentVariable(Variable, "1");
        if (!OperatingSystem.IsWindows() && SetEnvironmentVariable(Variable, "1", overwrite: 1) != 0)
        {
            throw new InvalidOperationException($"setenv({Variable}) failed with error {Marshal.GetLastPInvokeError()}");
        }

        // Failures arrive as exceptions; the same line of native code on standard error would break structured logs, and may hold values.
        var options = new EnvironmentCreationOptions { logId = "scoring", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        OrtEnv environment = OrtEnv.IsCreated ? OrtEnv.Instance() : OrtEnv.CreateInstanceWithOptions(ref options);
        environment.DisableTelemetryEvents(); // the second lock
        return environment;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironmentVariable(string name, string value, int overwrite);
}
