using System.Numerics;
using System.Runtime.InteropServices;

namespace Scoring.Simulation.Scheduling;

/// <summary>Which processor a thread runs on: <c>sched_setaffinity(2)</c> of Linux; elsewhere any.</summary>
internal static partial class Processor
{
    private const int CallingThread = 0;
    private const int Words = 16; // 1,024 processors, as cpu_set_t has them.

    /// <summary>Has the calling thread run on one of the processors that it may run on. Where that is refused it runs on any.</summary>
    /// <param name="number">Which of them, modulo how many there are.</param>
    public static void KeepTo(int number)
    {
        Span<ulong> allowed = stackalloc ulong[Words];
        if (!OperatingSystem.IsLinux() || Allowed(CallingThread, Words * sizeof(ulong), ref allowed[0]) != 0)
        {
            return;
        }

        int count = 0;
        foreach (ulong word in allowed)
        {
            count += BitOperations.PopCount(word);
        }

        int left = number % count;
        for (int processor = 0; processor < Words * 64; processor++)
        {
            ulong bit = 1UL << (processor % 64);
            if ((allowed[processor / 64] & bit) != 0 && left-- == 0)
            {
                allowed.Clear();
                allowed[processor / 64] = bit;
                _ = Allow(CallingThread, Words * sizeof(ulong), ref allowed[0]);
                return;
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Allowed(int thread, nuint bytes, ref ulong mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Allow(int thread, nuint bytes, ref ulong mask);
}
