using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Scoring.Benchmarks.Measuring;

/// <summary>Runs two sides in turns in one process and compares what they cost.</summary>
/// <remarks>
/// Costs are CPU time of the process, not time on the wall: on a shared machine the first repeats, the second does not. Sides run
/// A-B-B-A, so that what drifts (clock rate, neighbours, memory) meets both alike; the ratio of a pass is taken from these four turns.
/// </remarks>
internal static class Contest
{
    /// <summary>Lets both sides run.</summary>
    public static Ratio Run(string name, Side ours, Side rival, RatioOf of, string goal, Pace pace)
    {
        Turn(ours, pace.WarmUp);
        Turn(rival, pace.WarmUp);
        var ratios = new double[pace.Passes];
        var oursNs = new double[pace.Passes];
        var rivalNs = new double[pace.Passes];
        for (int pass = 0; pass < pace.Passes; pass++)
        {
            var before = Turn(ours, pace.Leg);
            var against = Turn(rival, pace.Leg) + Turn(rival, pace.Leg);
            var mine = before + Turn(ours, pace.Leg);
            oursNs[pass] = mine.NanosecondsPerItem;
            rivalNs[pass] = against.NanosecondsPerItem;
            ratios[pass] = of == RatioOf.Time ? oursNs[pass] / rivalNs[pass] : rivalNs[pass] / oursNs[pass];
        }

        return new Ratio
        {
            Name = name,
            Ours = $"{Ratio.Text(Ratio.MedianOf(oursNs))} ns",
            Rival = $"{rival.Name} {Ratio.Text(Ratio.MedianOf(rivalNs))} ns",
            Of = of,
            Passes = ratios,
            BytesPerItem = BytesPerItem(ours),
            Goal = goal,
        };
    }

    private static Cost Turn(Side side, TimeSpan least)
    {
        long items = 0;
        var started = Environment.CpuUsage.TotalTime;
        TimeSpan spent;
        do
        {
            items += side.Sweep();
            spent = Environment.CpuUsage.TotalTime - started;
        }
        while (spent < least);
        return new Cost(spent, items);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double BytesPerItem(Side side)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        int items = side.Sweep();
        return (double)(GC.GetAllocatedBytesForCurrentThread() - before) / items;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Cost(TimeSpan Cpu, long Items)
    {
        public double NanosecondsPerItem => Cpu.TotalNanoseconds / Items;

        public static Cost operator +(Cost one, Cost other) => new(one.Cpu + other.Cpu, one.Items + other.Items);
    }
}
