using System.Runtime.InteropServices;

namespace Scoring.Trainer.History;

/// <summary>One record of a file that is imported. Valid until the next is asked for.</summary>
/// <param name="LineNumber">Line (of a Parquet file: row) from 1.</param>
/// <param name="Json">The record as JSON in the customer's own names; empty when there is a problem.</param>
/// <param name="Problem">Why the record cannot be read at all; null when it can.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ImportedRecord(long LineNumber, ReadOnlyMemory<byte> Json, string? Problem);
