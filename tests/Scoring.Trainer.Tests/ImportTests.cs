using System.Globalization;
using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace Scoring.Trainer.Tests;

public sealed class ImportTests : IDisposable
{
    private readonly Workshop workshop = new();

    public void Dispose() => workshop.Dispose();

    [Fact]
    public async Task Every_format_gives_the_same_history()
    {
        var rows = Workshop.Rows(500);
        workshop.Write("a.csv", Workshop.Csv(rows));
        workshop.WriteGzip("b.csv.gz", Workshop.Csv(rows));
        workshop.Write("c.jsonl", Workshop.JsonLines(rows));
        workshop.WriteGzip("d.jsonl.gz", Workshop.JsonLines(rows));
        await WriteParquetAsync("e.parquet", rows);

        List<string> vectors = [];
        foreach (string input in new[] { "a.csv", "b.csv.gz", "c.jsonl", "d.jsonl.gz", "e.parquet" })
        {
            string summary = await workshop.DoAsync("import", "-d", "@shop.json", "-i", $"@{input}", "-o", "@history.parquet");
            Assert.StartsWith(
                string.Create(CultureInfo.InvariantCulture, $"imported 500 transactions, 2024-01-01 00:00:00 to 2024-01-30 22:33:36 UTC; 500 labelled, {rows.Count(row => row.IsFraud)} frauds; 0 refused"),
                summary,
                StringComparison.Ordinal);
            await workshop.DoAsync("features", "-d", "@shop.json", "--history", "@history.parquet", "--from", "2024-01-01", "--to", "2024-02-01", "-o", "@features.csv");
            vectors.Add(await File.ReadAllTextAsync(workshop["features.csv"], TestContext.Current.CancellationToken));
        }

        Assert.All(vectors, text => Assert.Equal(vectors[0], text));
        Assert.Equal(501, vectors[0].Count(c => c == '\n'));
    }

    [Fact]
    public async Task Features_are_those_that_a_scan_of_the_file_gives()
    {
        var rows = Workshop.Rows(800);
        workshop.Write("a.csv", Workshop.Csv(rows));
        await workshop.DoAsync("import", "-d", "@shop.json", "-i", "@a.csv", "-o", "@history.parquet");
        await workshop.DoAsync("features", "-d", "@shop.json", "--history", "@history.parquet", "--from", "2024-01-10", "--to", "2024-01-20", "-o", "@features.csv");

        var lines = await File.ReadAllLinesAsync(workshop["features.csv"], TestContext.Current.CancellationToken);
        Assert.Equal("transaction_id,paid,count_1d,mean_7d", lines[0]);
        var wanted = rows.Where(row => row.At >= 9 * 86_400 && row.At < 19 * 86_400).ToList();
        Assert.Equal(wanted.Count, lines.Length - 1);
        for (int i = 0; i < wanted.Count; i++)
        {
            var row = wanted[i];
            var cells = lines[i + 1].Split(',');
            var own = rows.Where(other => other.Card == row.Card && other.At <= row.At).ToList();
            Assert.Equal(row.Id.ToString(CultureInfo.InvariantCulture), cells[0]);
            Assert.Equal(row.Amount, Number(cells[1]), 1e-9);
            Assert.Equal(own.Count(other => other.At > row.At - 86_400), Number(cells[2]));
            Assert.Equal(own.Where(other => other.At > row.At - (7 * 86_400)).Average(other => other.Amount), Number(cells[3]), 1e-9);
        }

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Rows_out_of_order_are_sorted_by_time()
    {
        var rows = Workshop.Rows(300);
        workshop.Write("a.csv", Workshop.Csv(rows));
        workshop.Write("b.csv", Workshop.Csv(rows.Reverse()));

        List<string> vectors = [];
        foreach (string input in new[] { "@a.csv", "@b.csv" })
        {
            await workshop.DoAsync("import", "-d", "@shop.json", "-i", input, "-o", "@history.parquet");
            await workshop.DoAsync("features", "-d", "@shop.json", "--history", "@history.parquet", "--from", "2024-01-01", "--to", "2024-02-01", "-o", "@features.csv");
            vectors.Add(await File.ReadAllTextAsync(workshop["features.csv"], TestContext.Current.CancellationToken));
        }

        Assert.Equal(vectors[0], vectors[1]);
    }

    [Fact]
    public async Task Bad_rows_are_reported_with_line_code_field_and_hint_and_the_good_ones_taken()
    {
        workshop.Write("a.jsonl", """
            {"id":1,"at":10,"card":1,"shop":1,"amount":1.25,"fraud":0}
            {"id":2,"at":20,"card":1,"shop":1,"amount":-1.25,"fraud":0}
            {"id":3,"at":30,"card":1,"shop":1,"amount":1.255,"fraud":0}
            not json
            {"id":5,"at":50,"card":1,"shop":1,"fraud":0}
            {"id":6,"at":60,"card":1,"shop":1,"amount":9,"fraud":1}
            """);

        var outcome = await workshop.RunAsync("import", "-d", "@shop.json", "-i", "@a.jsonl", "-o", "@history.parquet");

        Assert.Equal(0, outcome.ExitCode);
        Assert.StartsWith("imported 2 transactions", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("4 refused", outcome.Output, StringComparison.Ordinal);
        var rejects = File.ReadLines(workshop["history.parquet.rejects.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal([2, 3, 4, 5], rejects.Select(reject => reject.GetProperty("line").GetInt32()));
        Assert.Equal(["negative_amount", "bad_format", "malformed_json", "missing_field"], rejects.Select(reject => reject.GetProperty("code").GetString()));
        Assert.Equal("amount", rejects[0].GetProperty("field").GetString());
        Assert.All(rejects, reject => Assert.NotEmpty(reject.GetProperty("hint").GetString()!));
    }

    [Fact]
    public async Task A_file_without_one_good_row_is_bad_data()
    {
        workshop.Write("a.jsonl", "{}\n");
        var outcome = await workshop.RunAsync("import", "-d", "@shop.json", "-i", "@a.jsonl", "-o", "@history.parquet");
        Assert.Equal(65, outcome.ExitCode);
        Assert.False(File.Exists(workshop["history.parquet"]));
    }

    [Fact]
    public async Task Labels_of_a_file_are_joined_and_the_last_report_counts()
    {
        workshop.Write("a.csv", Workshop.Csv(Workshop.Rows(100).Select(row => row with { IsFraud = false })));
        workshop.Write("labels.jsonl", """
            {"label_id":"l1","transaction_id":"1001","account_id":"1","is_fraud":true,"source":"chargeback","reported_at":"2024-01-05T00:00:00Z"}
            {"label_id":"l2","transaction_id":"1002","account_id":"1","is_fraud":false,"source":"analyst","reported_at":"2024-01-06T00:00:00Z"}
            {"label_id":"l3","transaction_id":"1002","account_id":"1","is_fraud":true,"source":"chargeback","reported_at":"2024-01-05T00:00:00Z"}
            {"label_id":"l4","transaction_id":"nobody","account_id":"1","is_fraud":true,"source":"chargeback","reported_at":"2024-01-05T00:00:00Z"}
            """);

        string summary = await workshop.DoAsync("import", "-d", "@shop.json", "-i", "@a.csv", "--labels", "@labels.jsonl", "-o", "@history.parquet");

        Assert.Contains("100 labelled, 1 frauds; 0 refused; 1 labels without transaction", summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, "import")]
    [InlineData(64, "nonsense")]
    [InlineData(64, "import", "-d", "@shop.json", "-i", "@shop.json.xml", "-o", "@h")]
    [InlineData(66, "import", "-d", "@none.json", "-i", "@a.csv", "-o", "@h")]
    [InlineData(66, "import", "-d", "@shop.json", "-i", "@none.csv", "-o", "@h")]
    [InlineData(66, "features", "-d", "@shop.json", "--history", "@none", "--from", "2024-01-01", "--to", "2024-01-02", "-o", "@f")]
    [InlineData(65, "features", "-d", "@shop.json", "--history", "@shop.json", "--from", "2024-01-01", "--to", "2024-01-02", "-o", "@f")]
    [InlineData(64, "features", "-d", "@shop.json", "--history", "@shop.json", "--from", "yesterday", "--to", "2024-01-02", "-o", "@f")]
    [InlineData(64, "features", "-d", "@shop.json", "--history", "@shop.json", "--from", "2024-01-02", "--to", "2024-01-02", "-o", "@f")]
    public async Task Exit_codes_follow_sysexits(int expected, params string[] args)
    {
        workshop.Write("shop.json.xml", "");
        var outcome = await workshop.RunAsync(args);
        Assert.Equal(expected, outcome.ExitCode);
        Assert.NotEmpty(outcome.Error);
        Assert.Empty(outcome.Output);
    }

    [Fact]
    public async Task Every_fault_of_a_definition_is_printed_with_its_fix()
    {
        workshop.Write("bad.json", Workshop.Definition.Replace("\"count\"", "\"cuont\"", StringComparison.Ordinal).Replace("\"7d\"", "\"7 moons\"", StringComparison.Ordinal));
        var outcome = await workshop.RunAsync("import", "-d", "@bad.json", "-i", "@shop.json", "-o", "@h");
        Assert.Equal(65, outcome.ExitCode);
        Assert.Equal(2, outcome.Error.Split("fix:").Length - 1);
        Assert.Contains("features[1]", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("features[2]", outcome.Error, StringComparison.Ordinal);
    }

    private async Task WriteParquetAsync(string name, IReadOnlyList<Workshop.Row> rows)
    {
        var id = new DataField<int>("id");
        var at = new DataField<long>("at");
        var card = new DataField<int>("card");
        var shop = new DataField<string>("shop");
        var amount = new DataField<double>("amount");
        var fraud = new DataField<int?>("fraud");
        await using var file = File.Create(workshop[name]);
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(id, at, card, shop, amount, fraud), file);
        using var group = writer.CreateRowGroup();
        await group.WriteAsync<int>(id, rows.Select(row => row.Id).ToArray());
        await group.WriteAsync<long>(at, rows.Select(row => row.At).ToArray());
        await group.WriteAsync<int>(card, rows.Select(row => row.Card).ToArray());
        await group.WriteAsync(shop, rows.Select(row => row.Shop.ToString(CultureInfo.InvariantCulture)).ToArray());
        await group.WriteAsync<double>(amount, rows.Select(row => row.Amount).ToArray());
        await group.WriteAsync<int>(fraud, rows.Select(row => (int?)(row.IsFraud ? 1 : 0)).ToArray());
        group.CompleteValidate();
    }
}
