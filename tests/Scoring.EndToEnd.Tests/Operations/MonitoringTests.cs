using System.Net;
using System.Text.RegularExpressions;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.EndToEnd.Tests.Lanes;
using Scoring.EndToEnd.Tests.Processes;
using Scoring.Models.Tests;
using Scoring.Worker.Commands;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Rules, alerts, dashboards and their pages, held against a running worker and a real Prometheus.</summary>
public sealed partial class MonitoringTests(KafkaBroker broker, TestModel model)
{
    private static readonly string Rules = Path.Combine(RepositoryFiles.Root, "ops", "prometheus");
    private static readonly string Docs = Path.Combine(RepositoryFiles.Root, "docs");

    private static CancellationToken Bound => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(240)).Token).Token;

    [Fact]
    public async Task Rules_pass_the_linter_and_their_own_tests()
    {
        string[] tests = Directory.GetFiles(Path.Combine(Rules, "tests"), "*.test.yml");
        string[] files = Directory.GetFiles(Rules, "fraudscoring.*.yml");
        foreach (string[] arguments in new string[][] { ["check", "rules", "--lint=all", "--lint-fatal", .. files], ["check", "config", Path.Combine(Rules, "prometheus.yml")], ["test", "rules", .. tests] })
        {
            var (exitCode, printed) = await InstalledProgram.RunAsync("promtool", arguments);
            Assert.True(exitCode == 0, printed);
        }
    }

    [Fact]
    public void Every_alert_is_tested_and_has_its_page_and_no_page_is_left_over()
    {
        string alerts = File.ReadAllText(Path.Combine(Rules, "fraudscoring.alerts.yml"));
        string tests = string.Concat(Directory.EnumerateFiles(Path.Combine(Rules, "tests")).Select(File.ReadAllText));
        string index = File.ReadAllText(Path.Combine(Docs, "runbook", "README.md"));
        var names = AlertName().Matches(alerts).Select(match => match.Groups["name"].Value).ToList();
        Assert.All(names, name =>
        {
            Assert.Contains($"alertname: {name}\n        exp_alerts:\n", tests, StringComparison.Ordinal);
            Assert.Contains($"/docs/runbook/{name}.md\n", alerts, StringComparison.Ordinal);
            Assert.Contains($"({name}.md)", index, StringComparison.Ordinal);
        });
        Assert.Equal(
            names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Path.Combine(Docs, "runbook")).Select(Path.GetFileNameWithoutExtension).Where(name => name != "README").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Dashboards_are_whole()
    {
        Assert.NotEmpty(Dashboard.All);
        Assert.Equal(Dashboard.All.Count, Dashboard.All.Select(dashboard => dashboard.Uid).Distinct(StringComparer.Ordinal).Count());
        Assert.All(Dashboard.All, dashboard => Assert.Empty(dashboard.Faults()));
    }

    [Fact]
    public async Task Every_metric_is_documented_and_none_is_invented()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 1);
        await using var worker = new WorkerRun(service, "documented");
        await worker.ReadyAsync(Bound);
        using var folder = new TestFolder();
        using var http = new HttpDoor(HttpDoor.FreePort());
        await using var trainer = StartTrainer(service, folder, http);
        var ofTrainer = new MetricsPage(await http.UntilAsync("/metrics", answer => answer.Status == HttpStatusCode.OK && answer.Body.Contains("trainer_", StringComparison.Ordinal), Bound));
        var page = await worker.MetricsAsync(_ => true, Bound);
        Assert.Empty(ofTrainer.Faults);
        var documented = MetricRow().Matches(await File.ReadAllTextAsync(Path.Combine(Docs, "operations.md"), Bound)).Select(match => "fraudscoring_" + match.Groups["name"].Value);
        Assert.Equal(page.Families.Concat(ofTrainer.Families).Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
        Assert.Equal(ExitCode.Ok, await worker.StopAsync());
    }

    [Fact]
    public async Task Every_expression_of_rules_and_dashboards_answers_from_a_running_worker_and_trainer()
    {
        using var service = await TestService.CreateAsync(broker, model, partitionCount: 2);
        await OwnProgram.TrainerAsync("models", "publish", model.PackagePath, "--definition", service.DefinitionPath, "--verification-key", model.KeyPath, "--bootstrap-servers", broker.BootstrapServers);
        await using var worker = new WorkerRun(service, "monitoring");
        using var folder = new TestFolder();
        using var http = new HttpDoor(HttpDoor.FreePort());
        await using var trainer = StartTrainer(service, folder, http);
        await worker.ReadyAsync(Bound);
        await using var prometheus = new PrometheusServer();
        prometheus.Scrape(PrometheusServer.Workers, worker.EndPoint);
        prometheus.Scrape(PrometheusServer.Trainers, http.EndPoint);
        await prometheus.AnsweredAsync("""up{job="fraudscoring"} == 1""", Bound);
        await prometheus.AnsweredAsync("""up{job="fraudscoring-trainer"} == 1""", Bound);

        // Ten recorded days, the latest event as the trainer's clock: by the end both models have been judged.
        await service.VerbAsync("replay", service.WriteHistory(8_000, seed: 5, accountCount: 4_000));
        await prometheus.AnsweredAsync("""fraudscoring_trainer_average_precision{model="champion"}""", Bound);

        foreach (string text in new[] { (await worker.GetAsync("/metrics", Bound)).Body, (await http.GetAsync("/metrics", Bound)).Body })
        {
            var (exitCode, printed) = await InstalledProgram.RunAsync("promtool", ["check", "metrics"], text);
            Assert.True(exitCode == 0, printed);
        }

        var rules = await prometheus.RulesAsync(Bound);
        string[] dashboards = [.. Dashboard.All.SelectMany(dashboard => dashboard.Expressions).Select(panel => panel.Expression)];
        foreach (string expression in dashboards.Concat(rules.Where(rule => rule.IsRecording).Select(rule => rule.Name)))
        {
            await AnsweredAsync(prometheus, expression);
        }

        // An alert, or a mark on a time axis, answers when something is amiss; what it looks at is there all the same.
        string[] occasional = [.. rules.Where(rule => !rule.IsRecording).Select(rule => rule.Expression), .. Dashboard.All.SelectMany(dashboard => dashboard.Annotations)];
        foreach (string expression in occasional)
        {
            Assert.Null(await prometheus.FaultAsync(expression, Bound));
        }

        foreach (string metric in occasional.SelectMany(expression => Metric().Matches(expression)).Select(match => match.Value).Distinct(StringComparer.Ordinal))
        {
            await AnsweredAsync(prometheus, metric);
        }

        Assert.All(await prometheus.RulesAsync(Bound), rule => Assert.Empty(rule.Fault));
        Assert.Equal(ExitCode.Ok, await worker.StopAsync());
    }

    private OwnProgram StartTrainer(TestService service, TestFolder folder, HttpDoor http) => OwnProgram.Start(
        "Scoring.Trainer",
        [
            "watch", "--definition", service.DefinitionPath, "--bootstrap-servers", broker.BootstrapServers, "--data", folder.File("trainer"), "--key", model.SecretKeyPath, "--verification-key", model.KeyPath,
            "--metrics", http.EndPoint.ToString(), "--clock", "event", "--schedule", "0 0 * * *", "--training-days", "2", "--judged-days", "2", "--frauds-min", "8", "--trees", "20", "--leaves", "6",
        ]);

    private static async Task AnsweredAsync(PrometheusServer prometheus, string expression)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(20));
        try
        {
            await prometheus.AnsweredAsync(expression, bound.Token);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Assert.Fail($"{expression} has no number");
        }
    }

    [GeneratedRegex(@"- alert: (?<name>\w+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex AlertName();

    [GeneratedRegex(@"^\| `(?<name>[a-z0-9_]+)`", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex MetricRow();

    [GeneratedRegex(@"\b(job|job_reason):\w+:\w+|\bfraudscoring_\w+|\bup\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Metric();
}
