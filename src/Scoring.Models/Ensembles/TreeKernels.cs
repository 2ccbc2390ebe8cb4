using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Scoring.Models.Ensembles;

/// <summary>Scores one block of 16 rows, or one row, against a compiled ensemble. The only unsafe code of the tree engine.</summary>
/// <remarks>
/// The arrays come from <see cref="TreeCompiler"/>, which takes sound trees only, and the caller has checked the spans: nothing here
/// is bounded by what a row holds. Why masks and not gathers or branches: performance.md 3.4; the Vector512 form is one compare
/// and one masked AND per node and 16 rows.
/// </remarks>
internal static unsafe class TreeKernels
{
    internal static bool HasVector512 => Avx512F.IsSupported && Avx512CD.IsSupported && Vector512.IsHardwareAccelerated;

    internal static void ScoreVector512(TreeProgram program, ReadOnlySpan<float> block, Span<double> sums)
    {
        Vector512<double> low = default, high = default; // rows 0-7 and 8-15, added up in tree order
        fixed (float* rows = block, thresholds = program.Thresholds, leafValues = program.Leaves)
        fixed (int* offsets = program.Offsets)
        fixed (uint* masks = program.Masks)
        {
            foreach (ref readonly CompiledTree tree in program.Trees.AsSpan())
            {
                Vector512<float> values = tree.Shape switch
                {
                    TreeShape.OneWord => OneWord512(in tree, rows, offsets + tree.Test, thresholds + tree.Test, masks + tree.Mask, leafValues + tree.Leaf),
                    TreeShape.TwoWords => TwoWords512(in tree, rows, offsets + tree.Test, thresholds + tree.Test, masks + tree.Mask, leafValues + tree.Leaf),
                    _ => Walk512(program, tree.Root, block),
                };
                low += Avx512F.ConvertToVector512Double(values.GetLower());
                high += Avx512F.ConvertToVector512Double(values.GetUpper());
            }
        }

        low.CopyTo(sums);
        high.CopyTo(sums[8..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> OneWord512(in CompiledTree tree, float* rows, int* offset, float* threshold, uint* mask, float* leaf)
    {
        // Two accumulators, so that one AND does not wait for the other.
        Vector512<uint> even = Vector512<uint>.AllBitsSet, odd = Vector512<uint>.AllBitsSet;
        int test = 0;
        for (int end = tree.MissingRight; test < end; test += 2)
        {
            // Each compare is used at once: only then does the JIT keep it in a mask register (vcmpps k, vpandd zmm{k}).
            Vector512<uint> failsEven = Avx512F.CompareNotLessThanOrEqual(Vector512.Load(rows + offset[test]), Vector512.Create(threshold[test])).AsUInt32();
            even = Vector512.ConditionalSelect(failsEven, even & Vector512.Create(mask[test]), even);
            Vector512<uint> failsOdd = Avx512F.CompareNotLessThanOrEqual(Vector512.Load(rows + offset[test + 1]), Vector512.Create(threshold[test + 1])).AsUInt32();
            odd = Vector512.ConditionalSelect(failsOdd, odd & Vector512.Create(mask[test + 1]), odd);
        }

        for (int end = test + tree.MissingLeft; test < end; test++)
        {
            Vector512<uint> fails = Avx512F.CompareGreaterThan(Vector512.Load(rows + offset[test]), Vector512.Create(threshold[test])).AsUInt32();
            even = Vector512.ConditionalSelect(fails, even & Vector512.Create(mask[test]), even);
        }

        for (int end = test + tree.Unequal; test < end; test++)
        {
            Vector512<uint> fails = Avx512F.CompareNotEqual(Vector512.Load(rows + offset[test]), Vector512.Create(threshold[test])).AsUInt32();
            odd = Vector512.ConditionalSelect(fails, odd & Vector512.Create(mask[test]), odd);
        }

        Vector512<int> exit = Avx512CD.LeadingZeroCount(even & odd).AsInt32();
        return Avx512F.PermuteVar16x32x2(Vector512.Load(leaf), exit, Vector512.Load(leaf + 16));
    }

    private static Vector512<float> TwoWords512(in CompiledTree tree, float* rows, int* offset, float* threshold, uint* mask, float* leaf)
    {
        Vector512<uint> first = Vector512<uint>.AllBitsSet, second = Vector512<uint>.AllBitsSet; // leaves 0-31 and 32-63
        int count = tree.MissingRight + tree.MissingLeft + tree.Unequal;
        for (int test = 0; test < count; test++)
        {
            Vector512<float> values = Vector512.Load(rows + offset[test]), limit = Vector512.Create(threshold[test]);
            Vector512<uint> fails = (test < tree.MissingRight ? Avx512F.CompareNotLessThanOrEqual(values, limit)
                : test < tree.MissingRight + tree.MissingLeft ? Avx512F.CompareGreaterThan(values, limit)
                : Avx512F.CompareNotEqual(values, limit)).AsUInt32();
            first = Vector512.ConditionalSelect(fails, first & Vector512.Create(mask[2 * test]), first);
            second = Vector512.ConditionalSelect(fails, second & Vector512.Create(mask[(2 * test) + 1]), second);
        }

        // An empty first word has 32 leading zeros; the permutes look at the low five bits only.
        Vector512<int> exitFirst = Avx512CD.LeadingZeroCount(first).AsInt32(), exitSecond = Avx512CD.LeadingZeroCount(second).AsInt32();
        return Vector512.ConditionalSelect(
            Vector512.Equals(first, Vector512<uint>.Zero).AsSingle(),
            Avx512F.PermuteVar16x32x2(Vector512.Load(leaf + 32), exitSecond, Vector512.Load(leaf + 48)),
            Avx512F.PermuteVar16x32x2(Vector512.Load(leaf), exitFirst, Vector512.Load(leaf + 16)));
    }

    private static Vector512<float> Walk512(TreeProgram program, int root, ReadOnlySpan<float> block)
    {
        float* values = stackalloc float[16];
        Walk(program, root, block, new Span<float>(values, 16));
        return Vector512.Load(values);
    }

    /// <summary>The same in two halves of 8 rows, for machines without AVX-512. The last step is scalar: AVX2 counts no leading zeros.</summary>
    internal static void ScoreVector256(TreeProgram program, ReadOnlySpan<float> block, Span<double> sums)
    {
        Span<float> values = stackalloc float[16];
        sums.Clear();
        fixed (float* rows = block)
        {
            foreach (ref readonly CompiledTree tree in program.Trees.AsSpan())
            {
                if (tree.Shape == TreeShape.Walk)
                {
                    Walk(program, tree.Root, block, values);
                }
                else
                {
                    Masked256(program, in tree, rows, values[..8]);
                    Masked256(program, in tree, rows + 8, values[8..]);
                }

                for (int row = 0; row < 16; row++)
                    sums[row] += values[row];
            }
        }
    }

    private static void Masked256(TreeProgram program, in CompiledTree tree, float* rows, Span<float> values)
    {
        Vector256<uint> first = Vector256<uint>.AllBitsSet, second = Vector256<uint>.AllBitsSet;
        int count = tree.MissingRight + tree.MissingLeft + tree.Unequal;
        int words = tree.Shape == TreeShape.TwoWords ? 2 : 1;
        ReadOnlySpan<int> offsets = program.Offsets.AsSpan(tree.Test, count);
        ReadOnlySpan<float> thresholds = program.Thresholds.AsSpan(tree.Test, count);
        ReadOnlySpan<uint> masks = program.Masks.AsSpan(tree.Mask, count * words);
        for (int test = 0; test < count; test++)
        {
            Vector256<float> x = Vector256.Load(rows + offsets[test]), limit = Vector256.Create(thresholds[test]);
            Vector256<uint> holds = (test < tree.MissingRight ? Vector256.LessThanOrEqual(x, limit)
                : test < tree.MissingRight + tree.MissingLeft ? ~Vector256.GreaterThan(x, limit)
                : Vector256.Equals(x, limit)).AsUInt32();
            first &= holds | Vector256.Create(masks[test * words]);
            if (words == 2)
                second &= holds | Vector256.Create(masks[(test * words) + 1]);
        }

        ReadOnlySpan<float> leaves = program.Leaves.AsSpan(tree.Leaf, 32 * words);
        for (int row = 0; row < 8; row++)
        {
            uint word = first[row];
            values[row] = leaves[word != 0 ? BitOperations.LeadingZeroCount(word) : 32 + BitOperations.LeadingZeroCount(second[row])];
        }
    }

    /// <summary>The same node by node: the twin that needs nothing, and the reference of the other two.</summary>
    internal static void ScoreScalar(TreeProgram program, ReadOnlySpan<float> block, Span<double> sums)
    {
        Span<float> values = stackalloc float[16];
        sums.Clear();
        foreach (ref readonly CompiledTree tree in program.Trees.AsSpan())
        {
            Walk(program, tree.Root, block, values);
            for (int row = 0; row < 16; row++)
                sums[row] += values[row];
        }
    }

    // 16 rows down one tree, a step each in turn: their cache misses overlap. Rows that have arrived stay where they are.
    private static void Walk(TreeProgram program, int root, ReadOnlySpan<float> block, Span<float> values)
    {
        int* at = stackalloc int[16];
        new Span<int>(at, 16).Fill(root);
        fixed (WalkNode* nodes = program.Nodes)
        fixed (float* rows = block)
        {
            int moved;
            do
            {
                moved = 0;
                for (int row = 0; row < 16; row++)
                {
                    WalkNode* node = nodes + at[row];
                    int next = Step(node, rows[(node->FeatureAndTurn & ~15) + row]);
                    moved |= next ^ at[row];
                    at[row] = next;
                }
            }
            while (moved != 0);
        }

        for (int row = 0; row < 16; row++)
            values[row] = program.Values[at[row]];
    }

    /// <summary>One row: eight trees a step each in turn. A 16-row pass costs the same whatever its fill, so this is cheaper for one.</summary>
    internal static double ScoreOne(TreeProgram program, ReadOnlySpan<float> row)
    {
        int* at = stackalloc int[8];
        double sum = 0;
        fixed (WalkNode* nodes = program.Nodes)
        fixed (float* features = row)
        {
            for (int first = 0; first < program.Trees.Length; first += 8)
            {
                int lanes = Math.Min(8, program.Trees.Length - first);
                for (int lane = 0; lane < lanes; lane++)
                    at[lane] = program.Trees[first + lane].Root;
                int moved;
                do
                {
                    moved = 0;
                    for (int lane = 0; lane < lanes; lane++)
                    {
                        WalkNode* node = nodes + at[lane];
                        int next = Step(node, features[node->FeatureAndTurn >> 4]);
                        moved |= next ^ at[lane];
                        at[lane] = next;
                    }
                }
                while (moved != 0);

                for (int lane = 0; lane < lanes; lane++)
                    sum += program.Values[at[lane]];
            }
        }

        return sum;
    }

    // No branch on the data: which of (x <= t) and (x >= t) hold picks one of the node's four turn bits (neither holds for NaN), and
    // the bit picks one of the two children, which lie side by side.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Step(WalkNode* node, float x)
    {
        float threshold = node->Threshold;
        int relation = Unsafe.BitCast<bool, byte>(x <= threshold) + (2 * Unsafe.BitCast<bool, byte>(x >= threshold));
        return ((int*)node)[2 + ((node->FeatureAndTurn >> relation) & 1)];
    }
}
