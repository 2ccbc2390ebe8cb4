using Scoring.Models.Events;
using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features;

/// <summary>Features of the event alone. A field that the event lacks gives the feature's <c>empty</c> value.</summary>
internal static class StatelessFeatures
{
    private const long HourMs = 3_600_000;
    private const long DayMs = 24 * HourMs;

    /// <summary>1970-01-01 was a Thursday: day 3 where Monday is 0.</summary>
    private const int FirstWeekday = 3;

    public static double Compute(in FeatureOp op, TransactionBatch batch, int row)
    {
        switch (op.Kind)
        {
            case AggregateKind.Value:
                return OrEmpty(op.Source.Number(batch, row), op.Empty);
            case AggregateKind.Log:
                double value = op.Source.Number(batch, row);
                return value > -1 ? Math.Log(1 + value) : op.Empty;
            case AggregateKind.Membership:
                var text = batch.Text(op.Source.Column)[row];
                return text.IsEmpty ? op.Empty : IsMember(op.Members, text) ? 1 : 0;
            case AggregateKind.Mismatch:
                var one = batch.Text(op.Source.Column)[row];
                var other = batch.Text(op.With.Column)[row];
                return one.IsEmpty || other.IsEmpty ? op.Empty : one.SequenceEqual(other) ? 0 : 1;
        }

        long time = batch.Times(op.Source.Column)[row];
        if (time == FieldSource.Missing)
        {
            return op.Empty;
        }

        int hour = (int)(Modulo(time, DayMs) / HourMs);
        int weekday = (int)Modulo(FloorDays(time) + FirstWeekday, 7);
        return op.Kind switch
        {
            AggregateKind.Hour => hour,
            AggregateKind.Weekday => weekday,
            AggregateKind.Weekend => weekday >= 5 ? 1 : 0,
            AggregateKind.Night => (op.Hours >> hour) & 1,
            _ => (batch.EventTimesMs[row] - time) / 1000.0,
        };
    }

    private static double OrEmpty(double value, double empty) => double.IsNaN(value) ? empty : value;

    private static long FloorDays(long time) => (time - Modulo(time, DayMs)) / DayMs;

    private static long Modulo(long value, long length) => ((value % length) + length) % length;

    private static bool IsMember(byte[][] members, ReadOnlySpan<byte> text)
    {
        foreach (byte[] member in members)
        {
            if (text.SequenceEqual(member))
            {
                return true;
            }
        }

        return false;
    }
}
