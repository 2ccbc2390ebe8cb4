using CsCheck;
using Scoring.Models.Events;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

public sealed class StagedRowsTests
{
    private static readonly EventSchema Schema = new(TransactionFields.All);

    /// <summary>Against a plain queue of strings, over any mix of additions and removals: chunks end anywhere.</summary>
    [Fact]
    public void Rows_leave_in_the_order_and_with_the_values_they_came_with() =>
        Gen.Bool.Array[0, 400].Sample(steps =>
        {
            var pool = new Stack<TransactionBatch>();
            var staged = new StagedRows(Schema, pool);
            var expected = new Queue<(long Offset, string Id, long TimeMs)>();
            var source = new TransactionBatch(Schema, 1);
            for (int i = 0; i < steps.Length; i++)
            {
                if (steps[i])
                {
                    source.Clear();
                    int row = source.NextRow();
                    string id = $"t-{i}";
                    source.TransactionIds.Set(row, System.Text.Encoding.UTF8.GetBytes(id));
                    source.Times(Schema.EventTime)[row] = i * 7;
                    staged.Add(source, row, partition: 3, offset: i, appendTimeMs: i + 1);
                    expected.Enqueue((i, id, i * 7));
                }
                else if (expected.Count > 0)
                {
                    var (offset, id, timeMs) = expected.Dequeue();
                    Assert.Equal(offset, staged.HeadOffset);
                    Assert.Equal(timeMs, staged.HeadTimeMs);
                    Assert.Equal(id, System.Text.Encoding.UTF8.GetString(staged.HeadBatch.TransactionIds[staged.HeadRow]));
                    Assert.Equal(3, staged.HeadBatch.Partitions[staged.HeadRow]);
                    Assert.Equal(offset + 1, staged.HeadBatch.AppendTimesMs[staged.HeadRow]);
                    staged.RemoveHead();
                }

                Assert.Equal(expected.Count, staged.Count);
            }
        });
}
