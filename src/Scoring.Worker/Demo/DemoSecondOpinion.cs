using System.Globalization;

namespace Scoring.Worker.Demo;

/// <summary>What the first model would have said of the payments that the second one scored: the trainer replays everything that was sent, with the labels as they came.</summary>
internal static class DemoSecondOpinion
{
    /// <summary>Asks the first model and writes its probabilities into the ledger.</summary>
    public static async Task AskAsync(DemoSchedule schedule, DemoFolder folder, DemoModel first, DemoLedger ledger, CancellationToken stopping)
    {
        string history = folder.In("history.parquet");
        string scores = folder.In("first-model.csv");
        await DemoTrainer.RunAsync(["import", "-d", folder.Definition, "-i", folder.Transactions, "--labels", folder.Labels, "-o", history], folder, stopping);
        await DemoTrainer.RunAsync(
            [
                "score", "-d", folder.Definition, "--history", history, "--package", Path.Combine(folder.Trainer, "packages", first.Sha256 + ".fsmodel"),
                "--public-key", folder.Keys + ".pub.pem", "--from", Text(schedule.ComparedFrom), "--to", Text(schedule.LiveEnds), "-o", scores,
            ],
            folder,
            stopping);
        foreach (string line in File.ReadLines(scores).Skip(1))
        {
            int comma = line.IndexOf(',', StringComparison.Ordinal);
            ledger.AnswerByFirstModel(TrafficJsonWriter.SequenceOf(line.AsSpan(0, comma)), double.Parse(line.AsSpan(comma + 1), CultureInfo.InvariantCulture));
        }
    }

    private static string Text(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
