using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Scoring.Trainer.Tests;

/// <summary>A folder with a small definition, data of which something can be learnt, and the trainer to run on them.</summary>
internal sealed class Workshop : IDisposable
{
    public const string Definition = """
        {
          "service": "shop",
          "events": { "fields": {
            "transaction_id": { "path": "id", "allow_integer": true },
            "event_time": { "path": "at", "unit": "seconds", "epoch": "2024-01-01T00:00:00Z" },
            "amount_minor": { "path": "amount", "unit": "major" },
            "currency": { "constant": "EUR" },
            "account_id": { "path": "card", "allow_integer": true },
            "merchant_id": { "path": "shop", "allow_integer": true }
          } },
          "labels": { "delay": "2d", "path": "fraud", "fraud_values": [1] },
          "entities": { "card": { "key": ["account_id"] } },
          "features": [
            { "name": "paid", "aggregate": "value", "of": "amount" },
            { "name": "count_1d", "entity": "card", "aggregate": "count", "window": "1d" },
            { "name": "mean_7d", "entity": "card", "aggregate": "mean", "of": "amount", "window": "7d" }
          ]
        }
        """;

    // The process has one console: runs wait for each other.
    private static readonly SemaphoreSlim OneConsole = new(1);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("scoring-trainer-");

    public Workshop() => Write("shop.json", Definition);

    public string this[string name] => Path.Combine(folder.FullName, name);

    public void Write(string name, string text) => File.WriteAllText(this[name], text);

    public void WriteGzip(string name, string text)
    {
        using var gzip = new GZipStream(File.Create(this[name]), CompressionLevel.Fastest);
        gzip.Write(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Thirty days of 60 cards; large amounts are often frauds.</summary>
    public static IReadOnlyList<Row> Rows(int count = 6_000)
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            double amount = Math.Round(5 + (random.NextDouble() * random.NextDouble() * 300), 2);
            bool isFraud = random.NextDouble() < (amount > 180 ? 0.4 : 0.004);
            return new Row(1000 + i, i * 2_592_000L / count, random.Next(60), random.Next(9), amount, isFraud);
        })];
    }

    public static string Csv(IEnumerable<Row> rows) => "id,at,card,shop,amount,fraud\n" + string.Concat(rows.Select(row =>
        string.Create(CultureInfo.InvariantCulture, $"{row.Id},{row.At},{row.Card},{row.Shop},{row.Amount},{(row.IsFraud ? 1 : 0)}\n")));

    public static string JsonLines(IEnumerable<Row> rows) => string.Concat(rows.Select(row =>
        string.Create(CultureInfo.InvariantCulture, $"{{\"id\":{row.Id},\"at\":{row.At},\"card\":{row.Card},\"shop\":{row.Shop},\"amount\":{row.Amount},\"fraud\":{(row.IsFraud ? 1 : 0)}}}\n")));

    /// <summary>Runs the trainer's command line in this process; paths are names in the folder.</summary>
    public async Task<Outcome> RunAsync(params string[] args)
    {
        await OneConsole.WaitAsync();
        var (output, error) = (Console.Out, Console.Error);
        using var capturedOutput = new StringWriter();
        using var capturedError = new StringWriter();
        Console.SetOut(capturedOutput);
        Console.SetError(capturedError);
        try
        {
            int exitCode = await Program.Main([.. args.Select(arg => arg.StartsWith('@') ? this[arg[1..]] : arg)]);
            return new(exitCode, capturedOutput.ToString(), capturedError.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
            OneConsole.Release();
        }
    }

    /// <summary>The same, and it must succeed.</summary>
    public async Task<string> DoAsync(params string[] args)
    {
        var outcome = await RunAsync(args);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', args)}: {outcome.ExitCode}\n{outcome.Error}");
        return outcome.Output;
    }

    public void Dispose() => folder.Delete(recursive: true);

    internal sealed record Row(int Id, long At, int Card, int Shop, double Amount, bool IsFraud);

    internal sealed record Outcome(int ExitCode, string Output, string Error);
}
