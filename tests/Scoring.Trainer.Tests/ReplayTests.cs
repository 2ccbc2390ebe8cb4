namespace Scoring.Trainer.Tests;

public sealed class ReplayTests : IDisposable
{
    private readonly Workshop workshop = new();

    public void Dispose() => workshop.Dispose();

    [Theory]
    [InlineData("2024-01-02T12:00:00Z", 2, 0)] // known, but the delay of 2 days is not over
    [InlineData("2024-01-02T12:00:00Z", 3, 1)]
    [InlineData("2024-01-06T00:00:00Z", 5, 0)] // came late: counts when it came
    [InlineData("2024-01-06T00:00:00Z", 7, 1)]
    public async Task A_label_counts_after_the_delay_or_when_it_came(string reportedAt, int day, int expected)
    {
        workshop.Write("labels.json", Workshop.Definition
            .Replace("\"path\": \"fraud\", \"fraud_values\": [1]", "\"recent_transactions_max\": 1000", StringComparison.Ordinal)
            .Replace("{ \"name\": \"count_1d\", \"entity\": \"card\", \"aggregate\": \"count\", \"window\": \"1d\" }", "{ \"name\": \"frauds\", \"entity\": \"card\", \"aggregate\": \"label_count\", \"window\": \"30d\" }", StringComparison.Ordinal));
        // The fraud at noon of 1 January; then one transaction at 13 h of each day.
        workshop.Write("a.csv", "id,at,card,shop,amount\n1,43200,7,1,10\n" + string.Concat(Enumerable.Range(1, 8).Select(d => $"{d + 1},{((d - 1) * 86_400) + 46_800},7,1,10\n")));
        workshop.Write("l.jsonl", $$"""{"label_id":"l1","transaction_id":"1","account_id":"7","is_fraud":true,"source":"chargeback","reported_at":"{{reportedAt}}"}""" + "\n");

        await workshop.DoAsync("import", "-d", "@labels.json", "-i", "@a.csv", "--labels", "@l.jsonl", "-o", "@history.parquet");
        await workshop.DoAsync("features", "-d", "@labels.json", "--history", "@history.parquet", "--from", "2024-01-01", "--to", "2024-02-01", "-o", "@features.csv");

        string row = File.ReadLines(workshop["features.csv"]).Single(line => line.StartsWith($"{day + 1},", StringComparison.Ordinal));
        Assert.Equal(expected.ToString(System.Globalization.CultureInfo.InvariantCulture), row.Split(',')[2]);
    }
}
