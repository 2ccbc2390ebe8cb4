using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Scoring.Models.Features.State;

/// <summary>Asks for memory before it is needed: the loads of a batch overlap instead of following each other.</summary>
/// <remarks>A hint without effect on results; nothing where the processor has no such instruction for us.</remarks>
internal static unsafe class Ahead
{
    /// <summary>Words of 8 bytes in a cache line.</summary>
    public const int LineWords = 8;

    /// <summary>Asks for the cache line of a value. Should the collector move it meanwhile, the hint is wrong and harmless.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch<T>(ref readonly T place)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.AsRef(in place)));
        }
    }
}
