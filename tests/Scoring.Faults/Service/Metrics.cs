using System.Globalization;

namespace Scoring.Faults.Service;

/// <summary>What a worker's metrics page says.</summary>
internal static class Metrics
{
    /// <summary>Sum of a metric over its series.</summary>
    public static double Sum(string page, string name)
    {
        double sum = 0;
        foreach (var line in page.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(name) && line[name.Length..] is [' ' or '{', ..])
            {
                sum += double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
            }
        }

        return sum;
    }
}
