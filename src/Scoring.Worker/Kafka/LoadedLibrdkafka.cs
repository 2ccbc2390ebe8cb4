using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Scoring.Worker.Kafka;

/// <summary>Binds this assembly's imports of <c>librdkafka</c> to the copy that Confluent.Kafka has loaded.</summary>
/// <remarks>
/// Confluent.Kafka ships several builds for Linux and takes the first that loads: <c>librdkafka</c> where libsasl2 is
/// installed, <c>centos8-librdkafka</c> or <c>alpine-librdkafka</c> elsewhere. The usual search by name would find
/// none, or a second copy whose handles mean nothing to the first.
/// </remarks>
internal static class LoadedLibrdkafka
{
    /// <summary>The name that every import of the library carries.</summary>
    public const string Name = "librdkafka";

    private static readonly Lazy<nint> Handle = new(Find);

    // An assembly takes one resolver, once.
    static LoadedLibrdkafka() => NativeLibrary.SetDllImportResolver(typeof(LoadedLibrdkafka).Assembly, Resolve);

    /// <summary>Registers the resolver; called from the static constructor of each class that holds imports.</summary>
    public static void Bind() => RuntimeHelpers.RunClassConstructor(typeof(LoadedLibrdkafka).TypeHandle);

    private static nint Resolve(string libraryName, Assembly assembly, DllImportSearchPath? searchPath) =>
        string.Equals(libraryName, Name, StringComparison.Ordinal) ? Handle.Value : 0;

    private static nint Find()
    {
        Confluent.Kafka.Library.Load();
        using var process = Process.GetCurrentProcess();
        foreach (ProcessModule module in process.Modules)
        {
            if (IsLibrdkafka(module.FileName))
            {
                return NativeLibrary.Load(module.FileName);
            }
        }

        // Where the system does not list modules (macOS) there is one build only, found by its plain name.
        return NativeLibrary.Load(Name, typeof(Confluent.Kafka.Library).Assembly, searchPath: null);
    }

    // Not librdkafkacpp, which Windows keeps beside it.
    private static bool IsLibrdkafka(string path) =>
        Path.GetFileName(path).Contains("librdkafka.", StringComparison.OrdinalIgnoreCase);
}
