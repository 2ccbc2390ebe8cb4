namespace Scoring.Worker.Verification.Oracle;

/// <summary>What one event gave to a key of a shared entity.</summary>
/// <param name="Partition">The partition it came from.</param>
/// <param name="PaneMs">Start of the pane it went to, ms since 1970 UTC.</param>
/// <param name="Values">By the entity's number fields: exact units, null where missing.</param>
/// <param name="Passes">By feature of the entity: whether the event passes its filter.</param>
internal sealed record SharedEvent(int Partition, long PaneMs, long?[] Values, bool[] Passes);

/// <summary>What one label gave to a key of a shared entity.</summary>
/// <param name="EarliestPaneMs">Start of the pane it went to, ms since 1970 UTC; of the first it can have gone to.</param>
/// <param name="LatestPaneMs">Start of the last pane it can have gone to; the same where its moment is fixed.</param>
/// <param name="Sign">1 for a fraud, -1 for one taken back.</param>
/// <param name="Passes">By feature of the entity: whether its event passes the filter.</param>
internal sealed record SharedLabel(long EarliestPaneMs, long LatestPaneMs, int Sign, bool[] Passes);

/// <summary>Everything that all partitions have given to one key of a shared entity, and the rows that ask for it.</summary>
internal sealed class SharedKeyOracle
{
    /// <summary>Events, in any order.</summary>
    public List<SharedEvent> Events { get; } = [];

    /// <summary>Labels, in any order.</summary>
    public List<SharedLabel> Labels { get; } = [];

    /// <summary>Rows whose features are read from here once everything has been given.</summary>
    public List<OracleRow> Readers { get; } = [];
}

/// <summary>A row whose shared features wait until every partition has been read.</summary>
/// <param name="partition">Its partition.</param>
/// <param name="offset">Its offset.</param>
/// <param name="timeMs">Its event time, ms since 1970 UTC.</param>
internal class OracleRow(int partition, long offset, long timeMs)
{
    /// <summary>Its partition.</summary>
    public int Partition => partition;

    /// <summary>Its offset.</summary>
    public long Offset => offset;

    /// <summary>Its event time, ms since 1970 UTC.</summary>
    public long TimeMs => timeMs;
}
