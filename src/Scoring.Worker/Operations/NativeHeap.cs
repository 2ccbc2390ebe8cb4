using System.Runtime.InteropServices;

namespace Scoring.Worker.Operations;

/// <summary>Has the C library keep more of what librdkafka frees, instead of giving it back to the system and asking for it again.</summary>
/// <remarks>
/// librdkafka allocates each record and each of its headers on one thread and frees them on another, and the buffers of requests beside them; pages that were given back are faulted in one by one when they
/// come again. glibc finds thresholds of its own from the buffers that are freed, 1 MiB and twice that; setting one ends that, so all are set. Measured: docs/decisions/0020. <c>mallopt(3)</c>; other C libraries have none,
/// and whoever sets glibc's tunables has decided.
/// </remarks>
internal static unsafe class NativeHeap
{
    private const int Free = 32 << 20;
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MmapThreshold = -3;

    /// <summary>Sets it, for the whole process. Nothing happens where it cannot be set.</summary>
    public static void KeepFreed()
    {
        bool isDecided = Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(name => name.StartsWith("MALLOC_", StringComparison.Ordinal) || name.Equals("GLIBC_TUNABLES", StringComparison.Ordinal));
        if (!isDecided && OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out nint library) && NativeLibrary.TryGetExport(library, "mallopt", out nint address))
        {
            var set = (delegate* unmanaged<int, int, int>)address;
            _ = set(TrimThreshold, Free); // At the end of a heap, of which each thread has its own, of 64 MiB at most.
            _ = set(TopPad, 8 << 20);
            _ = set(MmapThreshold, Free); // The largest it takes: half of a thread's heap.
        }
    }
}
