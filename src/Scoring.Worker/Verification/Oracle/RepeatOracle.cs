using System.Globalization;
using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>Which transactions of a partition came before, written down from the documented meaning: the same identifier within the window, among the last so many new ones.</summary>
internal sealed class RepeatOracle(DuplicateDefinition definition, EventSchema schema)
{
    private readonly Dictionary<string, First> firsts = new(StringComparer.Ordinal);
    private readonly List<(string Name, FieldKind Kind, int Column)> compared =
    [
        .. schema.Fields.Index()
            .Where(field => field.Item.Name is not "transaction_id" and not "message_type")
            .Select(field => (field.Item.Name, field.Item.Kind, schema.ColumnIndex(field.Index))),
    ];

    private long latestMs = long.MinValue;
    private long newOnes;

    /// <summary>Takes the next event in.</summary>
    /// <param name="batch">Its batch.</param>
    /// <param name="row">Its row.</param>
    /// <param name="transactionId">Its identifier.</param>
    /// <param name="firstOffset">Where the one stands that it repeats or contradicts, or -1.</param>
    public Repetition Take(TransactionBatch batch, int row, string transactionId, out long firstOffset)
    {
        long nowMs = Math.Max(latestMs, batch.EventTimesMs[row]);
        string says = Says(batch, row);
        firstOffset = -1;
        if (firsts.TryGetValue(transactionId, out var first)
            && nowMs - first.TimeMs <= definition.Window.TotalMilliseconds
            && newOnes - first.Number <= definition.TransactionsMax)
        {
            firstOffset = first.Offset;
            return string.Equals(first.Says, says, StringComparison.Ordinal) ? Repetition.Repeat : Repetition.Conflict;
        }

        latestMs = nowMs;
        firsts[transactionId] = new First(batch.Offsets[row], nowMs, newOnes++, says);
        return Repetition.None;
    }

    private string Says(TransactionBatch batch, int row)
    {
        var text = new StringBuilder();
        foreach (var (name, kind, column) in compared)
        {
            string value = kind switch
            {
                FieldKind.Text => Convert.ToHexString(batch.Text(column)[row]),
                FieldKind.Number => batch.Numbers(column)[row].ToString("R", CultureInfo.InvariantCulture),
                FieldKind.Integer => batch.Integers(column)[row].ToString(CultureInfo.InvariantCulture),
                FieldKind.Time => batch.Times(column)[row].ToString(CultureInfo.InvariantCulture),
                _ => batch.Booleans(column)[row].ToString(CultureInfo.InvariantCulture),
            };
            text.Append(name).Append('=').Append(value).Append('\n');
        }

        return text.ToString();
    }

    private sealed record First(long Offset, long TimeMs, long Number, string Says);
}
