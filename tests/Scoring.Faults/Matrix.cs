using System.Globalization;
using Confluent.Kafka;
using Scoring.Faults.Measuring;
using Scoring.Faults.Rows;

namespace Scoring.Faults;

/// <summary>Runs the rows and prints what came of them.</summary>
internal sealed class Matrix(MatrixPlan plan, Cluster cluster, TextWriter progress)
{
    /// <summary>Runs all rows, however the earlier ones end.</summary>
    /// <returns>0; 65 when a row is not good.</returns>
    public async Task<int> RunAsync(TextWriter output, FileInfo? report, CancellationToken stopping)
    {
        await progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"seed {plan.Seed}, {plan.Rows.Count} rows of {plan.Injections} injections, {plan.Rate} payments a second, {cluster.BootstrapServers}"));
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = cluster.BootstrapServers }).SetLogHandler((_, _) => { }).Build();
        var results = new List<RowResult>();
        foreach (var row in plan.Rows)
        {
            var run = new FaultRun(plan, row, cluster, admin, progress, stopping);
            var result = await RunAsync(run, row, stopping);
            results.Add(result);
            if (result.IsGood)
            {
                await CleanUpAsync(run, admin);
            }
            else
            {
                Explain(run, result);
            }
        }

        string table = ResultTable.Write(results);
        await output.WriteAsync(table);
        if (report is not null)
        {
            await File.WriteAllTextAsync(report.FullName, table, stopping);
        }

        return results.TrueForAll(result => result.IsGood) ? 0 : 65;
    }

    // What no row provides for is a result too: the other rows still run.
    private static async Task<RowResult> RunAsync(FaultRun run, FaultRow row, CancellationToken stopping)
    {
        try
        {
            return await run.RunAsync();
        }
        catch (Exception failure) when (failure is KafkaException or InvalidOperationException && !stopping.IsCancellationRequested)
        {
            return new RowResult { Row = row, Injections = 0, Events = run.Payments.Sent, Verdict = null, AskedForRestart = 0, LongestSilence = TimeSpan.Zero, Faults = [.. run.Faults, .. run.Workers.Faults, failure.ToString()] };
        }
    }

    private static async Task CleanUpAsync(FaultRun run, IAdminClient admin)
    {
        Directory.Delete(run.Service.Folder, recursive: true);
        await admin.DeleteTopicsAsync(((string[])["transactions", "labels", "scores", "alerts", "dlq", "aggregates", "state", "models"]).Select(run.Service.Topic));
    }

    private void Explain(FaultRun run, RowResult result)
    {
        cluster.IsKept = true;
        run.Say(string.Create(CultureInfo.InvariantCulture, $"NOT GOOD, seed {plan.Seed}. What the processes printed: {run.Service.Folder}"));
        foreach (string line in (string[])[.. result.Faults, .. result.Verdict?.Examples() ?? []])
        {
            run.Say($"  {line}");
        }

        run.Say($"look again: worker verify --definition {run.Service.DefinitionPath} --bootstrap-servers {cluster.BootstrapServers}");
        if (cluster.HowToWipe.Length > 0)
        {
            run.Say($"the brokers go on (verify needs them); remove them by {cluster.HowToWipe}");
        }
    }
}
