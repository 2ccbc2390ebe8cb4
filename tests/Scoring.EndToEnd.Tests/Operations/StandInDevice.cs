using System.Reflection;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Tests;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>
/// The library of a device that is none, built from <c>StandInDevice.c</c>: ONNX Runtime takes it for a CUDA plugin, the processor computes what it is given, and it can be lost.
/// The test is skipped where no C compiler is installed.
/// </summary>
internal sealed class StandInDevice : IDisposable
{
    private readonly TestFolder folder = new();

    private StandInDevice()
    {
    }

    /// <summary>What <c>Serving:ExecutionProviderLibrary</c> names.</summary>
    public string LibraryPath => folder.File("libstandin.so");

    private string LostPath => folder.File("lost");

    /// <summary>Builds it against the headers of the ONNX Runtime that the programs come with.</summary>
    public static async Task<StandInDevice> BuildAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the library is built for Linux");
        string headers = typeof(StandInDevice).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key is "OnnxRuntimeHeaders").Value!;
        var device = new StandInDevice();
        try
        {
            string source = Path.Combine(RepositoryFiles.Root, "tests", "Scoring.EndToEnd.Tests", "Operations", "StandInDevice.c");
            var (exitCode, printed) = await InstalledProgram.RunAsync(
                "cc", ["-std=c11", "-D_DEFAULT_SOURCE", "-shared", "-fPIC", "-I", headers, $"-DLOST_FILE=\"{device.LostPath}\"", "-o", device.LibraryPath, source]);
            Assert.True(exitCode == 0, printed);
            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>From now on every launch fails.</summary>
    public void Lose() => File.WriteAllText(LostPath, "");

    /// <summary>From now on launches succeed.</summary>
    public void Return() => File.Delete(LostPath);

    public void Dispose() => folder.Dispose();
}
