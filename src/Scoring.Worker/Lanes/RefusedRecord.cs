using System.Runtime.InteropServices;
using Confluent.Kafka;
using Scoring.Models.Events;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>A record that was not taken, with everything its dead letter needs. Good until the next record is read.</summary>
/// <param name="Refusal">Why.</param>
/// <param name="Topic">Where it stood.</param>
/// <param name="Partition">Its partition, also of the dead letter.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Timestamp">Its time stamp.</param>
/// <param name="Key">Its key.</param>
/// <param name="Value">Its bytes.</param>
/// <param name="Headers">Its headers.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RefusedRecord(Refusal Refusal, string Topic, int Partition, long Offset, Timestamp Timestamp, RecordBuffer Key, RecordBuffer Value, Headers? Headers);
