using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Tests;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>A real Prometheus with the repository's rules, which scrapes one worker every second. The test is skipped where none is installed.</summary>
internal sealed class PrometheusServer : IAsyncDisposable
{
    private readonly TestFolder folder = new();
    private readonly HttpDoor http = new(HttpDoor.FreePort());
    private readonly Process process;

    public PrometheusServer(IPEndPoint worker)
    {
        string rules = Path.Combine(RepositoryFiles.Root, "ops", "prometheus");
        string config = folder.File("prometheus.yml");
        File.WriteAllText(config, $$"""
            global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
            rule_files: ["{{rules}}/fraudscoring.rules.yml", "{{rules}}/fraudscoring.alerts.yml"]
            scrape_configs:
              - job_name: fraudscoring
                static_configs: [{ targets: ["{{worker}}"] }]
            """);
        process = InstalledProgram.Start("prometheus", [$"--config.file={config}", $"--storage.tsdb.path={folder.File("data")}", $"--web.listen-address={http.EndPoint}"]);
        process.ErrorDataReceived += (_, _) => { }; // Read, so that it never waits for a reader.
        process.BeginErrorReadLine();
    }

    /// <summary>Asks until the expression has a sample that is a number.</summary>
    public Task AnsweredAsync(string expression, CancellationToken cancellation) =>
        http.UntilAsync(Query(expression), answer => answer.Status == HttpStatusCode.OK && HasNumber(JsonNode.Parse(answer.Body)!["data"]!), cancellation);

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

    private static string Query(string expression) => "/api/v1/query?query=" + Uri.EscapeDataString(expression);

    private static bool HasNumber(JsonNode data) => data["result"]!.AsArray().Any(sample =>
        double.TryParse((string)sample!["value"]![1]!, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value));
}
