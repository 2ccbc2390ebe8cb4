using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Tests;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>A real Prometheus with the repository's rules, which scrapes every second. The test is skipped where none is installed.</summary>
/// <remarks>
/// It can be hastened: then every duration of the rules - <c>for</c>, <c>keep_firing_for</c>, windows, offsets - is divided by a factor; thresholds
/// stay what they are. Windows below two seconds have no sample then, and what rests on them is silent.
/// </remarks>
internal sealed partial class PrometheusServer : IAsyncDisposable
{
    /// <summary>Jobs as <c>ops/prometheus/prometheus.yml</c> calls them.</summary>
    public const string Workers = "fraudscoring", Trainers = "fraudscoring-trainer";

    private static readonly string Rules = Path.Combine(RepositoryFiles.Root, "ops", "prometheus");

    private readonly TestFolder folder = new();
    private readonly HttpDoor http = new(HttpDoor.FreePort());
    private readonly Dictionary<string, HashSet<IPEndPoint>> targets = new(StringComparer.Ordinal) { [Workers] = [], [Trainers] = [] };
    private readonly Process process;

    /// <summary>Starts it; nothing is scraped yet.</summary>
    /// <param name="haste">What the durations of the rules are divided by; 1: the rules as they are.</param>
    public PrometheusServer(int haste = 1)
    {
        string rules = Rules;
        if (haste > 1)
        {
            rules = folder.Path;
            foreach (string file in Directory.EnumerateFiles(Rules, "fraudscoring.*.yml"))
            {
                File.WriteAllText(folder.File(Path.GetFileName(file)), Hastened(File.ReadAllText(file), haste));
            }
        }

        string config = folder.File("prometheus.yml");
        File.WriteAllText(config, $$"""
            global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
            rule_files: ["{{rules}}/fraudscoring.rules.yml", "{{rules}}/fraudscoring.alerts.yml"]
            scrape_configs:
              - job_name: {{Workers}}
                file_sd_configs: [{ files: ["{{folder.Path}}/{{Workers}}.json"] }]
              - job_name: {{Trainers}}
                file_sd_configs: [{ files: ["{{folder.Path}}/{{Trainers}}.json"] }]
            """);
        process = InstalledProgram.Start("prometheus", [$"--config.file={config}", $"--storage.tsdb.path={folder.File("data")}", $"--web.listen-address={http.EndPoint}"]);
        process.ErrorDataReceived += (_, _) => { }; // Read, so that it never waits for a reader.
        process.BeginErrorReadLine();
    }

    /// <summary>Where it answers.</summary>
    public IPEndPoint EndPoint => http.EndPoint;

    /// <summary>Scrapes a program from now on.</summary>
    public void Scrape(string job, IPEndPoint target)
    {
        targets[job].Add(target);
        WriteTargets(job);
    }

    /// <summary>Knows nothing of a program any more.</summary>
    public void Forget(string job, IPEndPoint target)
    {
        targets[job].Remove(target);
        WriteTargets(job);
    }

    /// <summary>Asks until the expression has a sample that is a number.</summary>
    public Task AnsweredAsync(string expression, CancellationToken cancellation) =>
        http.UntilAsync(Query(expression), answer => answer.Status == HttpStatusCode.OK && HasNumber(JsonNode.Parse(answer.Body)!["data"]!), cancellation);

    /// <summary>Asks until an alert of this name fires, or none does. Where two rules share a name, it is followed by the severity: <c>Name/page</c>.</summary>
    public Task AlertAsync(string name, bool fires, CancellationToken cancellation) =>
        http.UntilAsync("/api/v1/alerts", answer => answer.Status == HttpStatusCode.OK && Firing(answer.Body).Any(alert => name == alert || name == alert[..alert.IndexOf('/', StringComparison.Ordinal)]) == fires, cancellation);

    /// <summary>Names and severities of the alerts that fire now.</summary>
    public async Task<IReadOnlyList<string>> FiringAsync(CancellationToken cancellation) => [.. Firing((await http.GetAsync("/api/v1/alerts", cancellation)).Body)];

    /// <summary>What is wrong with an expression, or null. It may have no sample.</summary>
    public async Task<string?> FaultAsync(string expression, CancellationToken cancellation)
    {
        var (status, body) = await http.GetAsync(Query(expression), cancellation);
        return status == HttpStatusCode.OK ? null : (string?)JsonNode.Parse(body)!["error"];
    }

    /// <summary>The rules it has loaded: name, expression, whether it records, and what went wrong at its last evaluation.</summary>
    public async Task<List<(string Name, string Expression, bool IsRecording, string Fault)>> RulesAsync(CancellationToken cancellation)
    {
        string body = await http.UntilAsync("/api/v1/rules", answer => answer.Status == HttpStatusCode.OK, cancellation);
        return
        [
            .. from rules in JsonNode.Parse(body)!["data"]!["groups"]!.AsArray()
               from rule in rules!["rules"]!.AsArray()
               select ((string)rule["name"]!, (string)rule["query"]!, (string)rule["type"]! is "recording", (string?)rule["lastError"] ?? ""),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        http.Dispose();
        folder.Dispose();
    }

    // Renamed into place: it never reads half a file.
    private void WriteTargets(string job)
    {
        string written = folder.File(job + ".new");
        File.WriteAllText(written, new JsonArray(new JsonObject { ["targets"] = new JsonArray([.. targets[job].Select(target => JsonValue.Create(target.ToString()))]) }).ToJsonString());
        File.Move(written, folder.File(job + ".json"), overwrite: true);
    }

    private static string Hastened(string rules, int haste) => RuleDuration().Replace(rules, match =>
    {
        long unitMs = match.Groups["unit"].Value switch { "s" => 1_000, "m" => 60_000, "h" => 3_600_000, _ => 86_400_000 };
        long ms = Math.Max(1, long.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture) * unitMs / haste);
        return string.Create(CultureInfo.InvariantCulture, $"{match.Groups["before"].Value}{ms}ms");
    });

    private static IEnumerable<string> Firing(string body) =>
        from alert in JsonNode.Parse(body)!["data"]!["alerts"]!.AsArray()
        where (string)alert!["state"]! is "firing"
        select $"{alert["labels"]!["alertname"]}/{alert["labels"]!["severity"]}";

    private static string Query(string expression) => "/api/v1/query?query=" + Uri.EscapeDataString(expression);

    private static bool HasNumber(JsonNode data) => data["result"]!.AsArray().Any(sample =>
        double.TryParse((string)sample!["value"]![1]!, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value));

    [GeneratedRegex(@"(?<before>\[|offset |for: )(?<count>\d+)(?<unit>[smhd])", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex RuleDuration();
}
