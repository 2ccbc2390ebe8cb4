using System.Runtime.Intrinsics;

namespace Scoring.Models.Ensembles;

/// <summary>Gauss-Legendre's points and weights on 0 to 1, eight to a vector: n points integrate a polynomial of degree 2 n - 1 exactly.</summary>
internal sealed class UnitQuadrature
{
    private UnitQuadrature(double[] points, double[] rests, double[] weights) => (Present, Absent, Weights) = (Vectors(points), Vectors(rests), Vectors(weights));

    /// <summary>The points t.</summary>
    public Vector512<double>[] Present { get; }

    /// <summary>1 - t, without the rounding of a difference.</summary>
    public Vector512<double>[] Absent { get; }

    /// <summary>The weights; they add up to 1.</summary>
    public Vector512<double>[] Weights { get; }

    /// <summary>A number of whole vectors of points.</summary>
    public static UnitQuadrature WithVectors(int vectors) => WithPoints(vectors * Vector512<double>.Count);

    /// <summary>Vectors of points that a degree asks for.</summary>
    public static int VectorsFor(int degree)
    {
        int points = (Math.Max(0, degree) / 2) + 1;
        return (points + Vector512<double>.Count - 1) / Vector512<double>.Count;
    }

    // The roots of the Legendre polynomial of that degree, by Newton's method.
    private static UnitQuadrature WithPoints(int count)
    {
        double[] points = new double[count], rests = new double[count], weights = new double[count];
        for (int i = 0; i < count; i++)
        {
            double x = Math.Cos(Math.PI * (i + 0.75) / (count + 0.5)), slope = 0;
            for (int step = 0; step < 8; step++)
            {
                double value = 1, before = 0;
                for (int degree = 1; degree <= count; degree++)
                    (value, before) = ((((2 * degree) - 1) * x * value - ((degree - 1) * before)) / degree, value);
                slope = count * ((x * value) - before) / ((x * x) - 1);
                x -= value / slope;
            }

            (points[i], rests[i], weights[i]) = ((1 + x) / 2, (1 - x) / 2, 1 / ((1 - (x * x)) * slope * slope));
        }

        return new(points, rests, weights);
    }

    private static Vector512<double>[] Vectors(double[] values) =>
        [.. Enumerable.Range(0, values.Length / Vector512<double>.Count).Select(i => Vector512.Create(values, i * Vector512<double>.Count))];
}
