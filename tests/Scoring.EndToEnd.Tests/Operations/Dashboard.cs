using System.Text.Json.Nodes;
using Scoring.Models.Tests;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>A Grafana dashboard of the repository, as far as it can be judged without Grafana.</summary>
internal sealed class Dashboard(string path)
{
    private readonly JsonNode root = JsonNode.Parse(File.ReadAllText(path))!;

    /// <summary>All that ship.</summary>
    public static IReadOnlyList<Dashboard> All { get; } =
        [.. Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "ops", "grafana", "dashboards"), "*.json").Order(StringComparer.Ordinal).Select(file => new Dashboard(file))];

    public string Name { get; } = Path.GetFileName(path);

    public string Uid => (string)root["uid"]!;

    /// <summary>What every panel asks, with all jobs and workers chosen.</summary>
    public IEnumerable<(string Panel, string Expression)> Expressions =>
        from panel in Panels
        from target in panel["targets"]?.AsArray() ?? []
        select ((string)panel["title"]!, Chosen((string)target!["expr"]!));

    /// <summary>What marks on the time axis ask.</summary>
    public IEnumerable<string> Annotations => root["annotations"]!["list"]!.AsArray().Select(annotation => Chosen((string)annotation!["expr"]!));

    private IEnumerable<JsonNode> Panels => root["panels"]!.AsArray().Select(panel => panel!);

    /// <summary>What Grafana would trip over, or a reader.</summary>
    public IEnumerable<string> Faults()
    {
        if (Uid.Length is 0 or > 40 || (int)root["schemaVersion"]! < 39)
        {
            yield return $"uid {Uid} or schema version";
        }

        var variables = root["templating"]!["list"]!.AsArray().Select(variable => (string)variable!["name"]!).ToHashSet(StringComparer.Ordinal);
        if (!variables.SetEquals(["datasource", "job", "instance"]))
        {
            yield return $"variables {string.Join(' ', variables)}";
        }

        var taken = new HashSet<(int X, int Y)>();
        var ids = new HashSet<int>();
        foreach (var panel in Panels)
        {
            string title = (string)panel["title"]!;
            bool isRow = (string)panel["type"]! is "row";
            var at = panel["gridPos"]!;
            var cells = from x in Enumerable.Range((int)at["x"]!, (int)at["w"]!) from y in Enumerable.Range((int)at["y"]!, (int)at["h"]!) select (x, y);
            if (!cells.All(cell => cell.x < 24 && taken.Add(cell)))
            {
                yield return $"{title}: outside the grid, or on another panel";
            }

            if (!ids.Add((int)panel["id"]!))
            {
                yield return $"{title}: its id is another's";
            }

            if (!isRow && (string?)panel["description"] is null or "")
            {
                yield return $"{title}: nothing says what it means";
            }

            if (!isRow && panel["targets"]!.AsArray().Any(target => !string.Equals((string)target!["datasource"]!["uid"]!, "${datasource}", StringComparison.Ordinal)))
            {
                yield return $"{title}: asks a source of its own";
            }
        }
    }

    private static string Chosen(string expression) => expression
        .Replace("$__rate_interval", "5m", StringComparison.Ordinal)
        .Replace("$__range", "1h", StringComparison.Ordinal)
        .Replace("$job", ".*", StringComparison.Ordinal)
        .Replace("$instance", ".*", StringComparison.Ordinal);
}
