using System.Globalization;
using System.Text;

namespace Scoring.Faults.Measuring;

/// <summary>The rows' results as a Markdown table.</summary>
internal static class ResultTable
{
    /// <summary>Writes it, with a line of sums.</summary>
    public static string Write(IReadOnlyList<RowResult> results)
    {
        var text = new StringBuilder();
        text.AppendLine("| row | injections | events | lost | duplicated | different | out of order | torn | ended with 69 | longest silence, ms | verdict |");
        text.AppendLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|");
        foreach (var result in results)
        {
            string counts = string.Join(" | ", ((string[])["lost", "duplicated", "different", "out_of_order", "torn"]).Select(name => result.Verdict?.Count(name).ToString(CultureInfo.InvariantCulture) ?? "?"));
            text.AppendLine(CultureInfo.InvariantCulture, $"| {result.Row.Number} {result.Row.Title} | {result.Injections} | {result.Events} | {counts} | {result.AskedForRestart} | {result.LongestSilence.TotalMilliseconds:0} | {(result.IsGood ? "good" : "**not good**")} |");
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"| all | {results.Sum(result => result.Injections)} | {results.Sum(result => result.Events)} | {Sum("lost")} | {Sum("duplicated")} | {Sum("different")} | {Sum("out_of_order")} | {Sum("torn")} | {results.Sum(result => result.AskedForRestart)} | {results.Select(result => result.LongestSilence.TotalMilliseconds).DefaultIfEmpty().Max():0} | {results.Count(result => result.IsGood)} of {results.Count} good |");
        return text.ToString();

        long Sum(string name) => results.Sum(result => result.Verdict?.Count(name) ?? 0);
    }
}
