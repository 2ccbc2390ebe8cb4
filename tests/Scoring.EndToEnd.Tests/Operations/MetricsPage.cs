using System.Globalization;
using System.Text.RegularExpressions;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>What <c>/metrics</c> shows, read and checked by the rules of the text format and of <c>promtool check metrics</c>.</summary>
internal sealed partial class MetricsPage
{
    private static readonly string[] HistogramParts = ["_bucket", "_sum", "_count"];
    private static readonly string[] NoBaseUnits = ["_ms", "_milliseconds", "_minutes", "_kb", "_percent"];

    private readonly Dictionary<string, (string Help, string Type)> families = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> series = new(StringComparer.Ordinal);
    private readonly List<string> faults = [];

    /// <summary>Reads a page.</summary>
    public MetricsPage(string text)
    {
        string family = "";
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                string[] parts = line.Split(' ', 4);
                family = parts[2];
                Check(families.TryAdd(family, (parts.Length > 3 ? parts[3] : "", "")), $"{family} stands twice");
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                string[] parts = line.Split(' ');
                Check(string.Equals(parts[2], family, StringComparison.Ordinal), $"{parts[2]} has no HELP");
                families[parts[2]] = families.GetValueOrDefault(parts[2]) with { Type = parts[3] };
            }
            else
            {
                AddSeries(line, family);
            }
        }

        foreach (var (name, (help, type)) in families)
        {
            CheckFamily(name, help, type);
        }
    }

    /// <summary>What is wrong with the page; empty when nothing is.</summary>
    public IReadOnlyList<string> Faults => faults;

    /// <summary>Names of the families that are there.</summary>
    public IEnumerable<string> Families => families.Keys;

    /// <summary>The value of one series, such as <c>name{label="value"}</c>; fails the test when it is not there.</summary>
    public double this[string name] => series.TryGetValue(name, out double value) ? value : throw new KeyNotFoundException($"{name} is not on the page");

    /// <summary>The values of all series of a name, by their labels as they stand.</summary>
    public Dictionary<string, double> All(string name) => series
        .Where(one => string.Equals(NameOf(one.Key), name, StringComparison.Ordinal))
        .ToDictionary(one => one.Key[name.Length..], one => one.Value, StringComparer.Ordinal);

    /// <summary>The sum of all series of a name.</summary>
    public double Sum(string name) => All(name).Values.Sum();

    private void AddSeries(string line, string family)
    {
        int space = line.LastIndexOf(' ');
        string key = line[..space];
        bool isNumber = double.TryParse(line.AsSpan(space + 1), CultureInfo.InvariantCulture, out double value);
        Check(isNumber && double.IsFinite(value), $"{key} is {line[(space + 1)..]}");
        Check(series.TryAdd(key, value), $"{key} stands twice");
        string name = NameOf(key);
        string type = families.GetValueOrDefault(family).Type;
        bool belongs = string.Equals(type, "histogram", StringComparison.Ordinal)
            ? HistogramParts.Any(part => string.Equals(name, family + part, StringComparison.Ordinal))
            : string.Equals(name, family, StringComparison.Ordinal);
        Check(belongs, $"{key} stands under {family}");
    }

    private void CheckFamily(string name, string help, string type)
    {
        Check(help.Length > 0, $"{name} has no help");
        Check(Name().IsMatch(name), $"{name} is not fraudscoring_ and snake_case");
        Check(string.Equals(type, "counter", StringComparison.Ordinal) == name.EndsWith("_total", StringComparison.Ordinal), $"{name} is a {type}: counters, and only they, end in _total");
        Check(!NoBaseUnits.Any(unit => name.EndsWith(unit, StringComparison.Ordinal) || name.EndsWith(unit + "_total", StringComparison.Ordinal)), $"{name} is not in a base unit");
        Check(!HistogramParts.Any(part => name.EndsWith(part, StringComparison.Ordinal)) && !name.Contains(type, StringComparison.Ordinal), $"{name} says what only its type may say");
        if (string.Equals(type, "counter", StringComparison.Ordinal))
        {
            Check(All(name).Values.All(value => value >= 0), $"{name} is below zero");
        }
        else if (string.Equals(type, "histogram", StringComparison.Ordinal))
        {
            foreach (var (labels, count) in All(name + "_count"))
            {
                string rest = labels.Length > 0 ? labels[1..^1] + "," : "";
                double[] buckets = [.. series.Where(one => one.Key.StartsWith($"{name}_bucket{{{rest}le=", StringComparison.Ordinal)).Select(one => one.Value)];
                Check(buckets.SequenceEqual(buckets.Order()) && buckets[^1] == count, $"{name}{labels} has buckets {string.Join(' ', buckets)} and count {count}");
            }
        }
    }

    private void Check(bool holds, string fault)
    {
        if (!holds)
        {
            faults.Add(fault);
        }
    }

    private static string NameOf(string key) => key.Split('{')[0];

    [GeneratedRegex("^fraudscoring(_[a-z0-9]+)+$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Name();
}
