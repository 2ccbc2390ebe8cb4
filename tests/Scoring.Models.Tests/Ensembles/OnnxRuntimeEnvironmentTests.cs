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

    /// <summary>The library reads the switch when it loads: whoever makes a session, or its options, calls the quiet door in the same file.</summary>
    [Fact]
    public void Nobody_reaches_the_library_but_through_the_quiet_door()
    {
        var users = Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(path => (Path: path, Code: File.ReadAllText(path)))
            .Where(file => ((string[])["new InferenceSession(", "new SessionOptions", "OrtEnv."]).Any(use => file.Code.Contains(use, StringComparison.Ordinal)))
            .ToList();
        Assert.NotEmpty(users);
        Assert.All(users, file => Assert.True(
            file.Code.Contains("OnnxRuntimeEnvironment", StringComparison.Ordinal),
            $"{file.Path} uses ONNX Runtime without OnnxRuntimeEnvironment.EnsureQuiet()"));
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint GetEnvironmentVariable(string name);
}
