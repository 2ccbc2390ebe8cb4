using System.Runtime.InteropServices;
using Scoring.Models.Ensembles;

namespace Scoring.Models.Tests.Ensembles;

public sealed partial class OnnxRuntimeEnvironmentTests
{
    /// <summary>Native code reads libc's environment, which .NET's own setter does not reach.</summary>
    [Fact]
    public void The_switch_against_telemetry_is_set_where_native_code_looks()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has one environment only");
        OnnxRuntimeEnvironment.EnsureQuiet();
        Assert.Equal("1", Marshal.PtrToStringUTF8(GetEnvironmentVariable("ORT_DISABLE_TELEMETRY")));
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint GetEnvironmentVariable(string name);
}
