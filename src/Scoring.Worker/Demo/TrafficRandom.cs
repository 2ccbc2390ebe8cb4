using System.Numerics;

namespace Scoring.Worker.Demo;

/// <summary>Seeded random numbers, the same on every machine and .NET version.</summary>
/// <remarks>xoshiro256** by Blackman and Vigna (2018), seeded through SplitMix64 as they advise. Not for secrets.</remarks>
internal sealed class TrafficRandom
{
    private ulong state0;
    private ulong state1;
    private ulong state2;
    private ulong state3;
    private double spareNormal = double.NaN;

    /// <summary>Begins the sequence that belongs to <paramref name="seed"/>.</summary>
    public TrafficRandom(ulong seed)
    {
        state0 = SplitMix(ref seed);
        state1 = SplitMix(ref seed);
        state2 = SplitMix(ref seed);
        state3 = SplitMix(ref seed);
    }

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        ulong result = BitOperations.RotateLeft(state1 * 5, 7) * 9;
        ulong shifted = state1 << 17;
        state2 ^= state0;
        state3 ^= state1;
        state1 ^= state2;
        state0 ^= state3;
        state2 ^= shifted;
        state3 = BitOperations.RotateLeft(state3, 45);
        return result;
    }

    /// <summary>A number from 0 to below 1.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number from <paramref name="from"/> to below <paramref name="to"/>.</summary>
    public double Between(double from, double to) => from + ((to - from) * NextDouble());

    /// <summary>An integer from 0 to below <paramref name="count"/>.</summary>
    public int Below(int count) => (int)Math.BigMul(NextBits(), (ulong)count, out _);

    /// <summary>An integer from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public int Among(int first, int last) => first + Below(last - first + 1);

    /// <summary>True in a share <paramref name="probability"/> of calls.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>An exponential gap with mean 1.</summary>
    public double Exponential() => -Math.Log(1 - NextDouble());

    /// <summary>A standard normal number.</summary>
    /// <remarks>Box-Muller; the second number of each pair is kept.</remarks>
    public double Normal()
    {
        if (!double.IsNaN(spareNormal))
        {
            double spare = spareNormal;
            spareNormal = double.NaN;
            return spare;
        }

        double radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        var (sin, cos) = Math.SinCos(2 * Math.PI * NextDouble());
        spareNormal = radius * sin;
        return radius * cos;
    }

    /// <summary>A log-normal number with the given median.</summary>
    public double LogNormal(double median, double sigma) => median * Math.Exp(sigma * Normal());

    /// <summary>An index of <paramref name="cumulative"/>, drawn by the weights whose running sums it holds.</summary>
    public int Weighted(ReadOnlySpan<double> cumulative)
    {
        double target = NextDouble() * cumulative[^1];
        int low = 0;
        int high = cumulative.Length - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (cumulative[middle] > target)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    private static ulong SplitMix(ref ulong seed)
    {
        ulong z = seed += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
