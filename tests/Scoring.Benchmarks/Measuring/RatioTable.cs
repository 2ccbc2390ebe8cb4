using System.Globalization;
using static Scoring.Benchmarks.Measuring.Ratio;

namespace Scoring.Benchmarks.Measuring;

/// <summary>Prints ratios as a Markdown table, a row as soon as it is known, and a summary as the last line.</summary>
internal sealed class RatioTable(TextWriter output)
{
    private readonly List<Ratio> rows = [];

    /// <summary>Prints the head.</summary>
    public void Begin()
    {
        output.WriteLine("| what | ours | rival | ratio | min - max | allocated B | goal |");
        output.WriteLine("|---|---|---|---|---|---|---|");
    }

    /// <summary>Prints one row.</summary>
    public void Add(Ratio row)
    {
        rows.Add(row);
        string bytes = row.BytesPerItem is { } allocated ? allocated.ToString("0.##", CultureInfo.InvariantCulture) : "";
        output.WriteLine($"| {row.Name} | {row.Ours} | {row.Rival} | {Text(row.Median)} {row.Of switch { RatioOf.Time => "x its time", _ => "x its speed" }} | {Text(row.Passes.Min())} - {Text(row.Passes.Max())} | {bytes} | {row.Goal} |");
    }

    /// <summary>Prints the last line.</summary>
    /// <param name="skipped">What did not run, and why.</param>
    public void End(IReadOnlyList<string> skipped)
    {
        output.WriteLine();
        foreach (string reason in skipped)
        {
            output.WriteLine(reason);
        }

        string ratios = string.Join("; ", rows.Select(row => $"{row.Name} {Text(row.Median)}"));
        output.WriteLine(FormattableString.Invariant($"{rows.Count} ratios, {skipped.Count} skipped. {ratios}"));
    }
}
