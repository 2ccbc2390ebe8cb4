using System.Runtime.InteropServices;
using Scoring.Models.Events;

namespace Scoring.Trainer.History;

/// <summary>One record of a topic.</summary>
/// <param name="Partition">Its partition.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Value">Its value; null for a tombstone.</param>
/// <param name="Headers">Its headers.</param>
/// <param name="AppendTimeMs">When it came to the topic, ms since 1970 UTC.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SourceRecord(int Partition, long Offset, byte[]? Value, EventHeaders Headers, long AppendTimeMs);
