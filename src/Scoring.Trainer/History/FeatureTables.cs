using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Features;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.History;

/// <summary>Feature vectors of a stretch of history, in memory.</summary>
internal static class FeatureTables
{
    /// <summary>Replays a history from its beginning to the end of a window and keeps the rows in it.</summary>
    /// <exception cref="TrainerException">The history cannot be read.</exception>
    public static async Task<FeatureTable> ReadAsync(
        ServiceDefinition definition, FeaturePlan plan, string historyPath, TimeWindow window, Action<string, double> progress, CancellationToken cancellation)
    {
        await using var history = await HistoryReader.OpenAsync(historyPath, plan.Schema, cancellation);
        using var replay = new HistoryReplay(plan, definition.Labels.Delay, keepExact: false);
        var table = new FeatureTable(plan.FeatureCount);
        var accounts = new Dictionary<string, int>(StringComparer.Ordinal);
        await foreach (var chunk in replay.RunAsync(history, window, share => progress("replaying history", share), cancellation))
        {
            foreach (int row in chunk.Asked())
            {
                string account = Encoding.UTF8.GetString(chunk.Rows.Batch.AccountIds[row]);
                if (!accounts.TryGetValue(account, out int number))
                {
                    accounts[account] = number = accounts.Count;
                }

                var features = new float[plan.FeatureCount];
                chunk.Features.CopyRow(row, features);
                table.Add(chunk.Rows.Batch.EventTimesMs[row], number, chunk.Rows.IsFraud[row], features, Encoding.UTF8.GetString(chunk.Rows.Batch.TransactionIds[row]));
            }
        }

        return table;
    }
}
