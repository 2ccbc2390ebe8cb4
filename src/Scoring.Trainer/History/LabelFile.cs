using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Events.Files;

namespace Scoring.Trainer.History;

/// <summary>Labels of a file, in the form of the labels topic, by the transaction they speak of.</summary>
internal static class LabelFile
{
    /// <summary>An outcome and when it was reported; <see cref="long.MinValue"/> where not said.</summary>
    internal sealed record Outcome(sbyte IsFraud, long ReportedAtMs);

    /// <summary>Reads a file. Of several labels of one transaction the one reported last counts; at one time, the later line.</summary>
    /// <param name="path">File of labels.</param>
    /// <param name="definition">The service.</param>
    /// <param name="schema">Its events.</param>
    /// <param name="nowMs">The time.</param>
    /// <param name="rejects">Told of labels that are refused.</param>
    public static Dictionary<string, Outcome> Read(string path, ServiceDefinition definition, EventSchema schema, long nowMs, ImportRejects rejects)
    {
        var decoder = new LabelDecoder(definition, schema);
        var batch = new LabelBatch(schema, rowsMax: 1);
        var headers = new EventHeaders();
        var outcomes = new Dictionary<string, Outcome>(StringComparer.Ordinal);
        using var file = EventFile.Open(path);
        while (file.Read())
        {
            if (file.Problem is { } problem)
            {
                rejects.Add(path, file.LineNumber, problem);
                continue;
            }

            batch.Clear();
            var refusal = decoder.Decode(file.Json.Span, isNull: false, headers, nowMs, batch);
            if (!refusal.IsNone)
            {
                rejects.Add(path, file.LineNumber, refusal);
                continue;
            }

            const int Row = 0;
            if (batch.IsFraud[Row] < 0)
            {
                continue;
            }

            string transaction = Encoding.UTF8.GetString(batch.TransactionIds[Row]);
            var outcome = new Outcome(batch.IsFraud[Row], Math.Max(batch.ReportedAtMs[Row], batch.OccurredAtMs[Row]));
            if (!outcomes.TryGetValue(transaction, out var earlier) || outcome.ReportedAtMs >= earlier.ReportedAtMs)
            {
                outcomes[transaction] = outcome;
            }
        }

        return outcomes;
    }
}
