using Scoring.Models.Features;

namespace Scoring.Trainer.History;

/// <summary>Rows of a history with their features. Valid until the next chunk is asked for.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Features">Their features: row r of the block is row r of the chunk.</param>
/// <param name="FirstRow">First row that was asked for.</param>
/// <param name="EndRow">First row behind those.</param>
internal sealed record ReplayedChunk(HistoryChunk Rows, FeatureBlock Features, int FirstRow, int EndRow)
{
    /// <summary>The rows that were asked for, but those that came before: a worker gives them the answer of then.</summary>
    public IEnumerable<int> Asked()
    {
        for (int row = FirstRow; row < EndRow; row++)
        {
            if (Features.Repetitions[row] == Repetition.None)
            {
                yield return row;
            }
        }
    }
}
