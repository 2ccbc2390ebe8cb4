using Scoring.Models.Events;
using Scoring.Trainer.History.Segments;

namespace Scoring.Trainer.History;

/// <summary>What became of records since the process began.</summary>
internal sealed class IntakeCounts
{
    private readonly long[] taken = new long[Enum.GetValues<SourceKind>().Length];
    private readonly Dictionary<(SourceKind Kind, RefusalCode Code), long> refused = [];

    /// <summary>Refused records by kind and reason. The worker keeps them as dead letters.</summary>
    public IReadOnlyDictionary<(SourceKind Kind, RefusalCode Code), long> Refused => refused;

    /// <summary>Records taken.</summary>
    public long Taken(SourceKind kind) => taken[(int)kind];

    /// <summary>Counts a record that was taken.</summary>
    public void Take(SourceKind kind) => taken[(int)kind]++;

    /// <summary>Counts a record that was refused.</summary>
    public void Refuse(SourceKind kind, RefusalCode code) => refused[(kind, code)] = refused.GetValueOrDefault((kind, code)) + 1;
}
