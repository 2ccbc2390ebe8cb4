using System.Globalization;
using Confluent.Kafka;
using Scoring.Models.Features;

namespace Scoring.Worker.Lanes;

/// <summary>One input partition of a lane: its state, where it stands, what waits.</summary>
internal sealed class PartitionInput(TopicPartition source, PartitionState state, StagedRows staged, PartitionLabels? labels)
{
    /// <summary>Topic and partition of the transactions.</summary>
    public TopicPartition Source { get; } = source;

    /// <summary>Partition number, of the input and of all outputs.</summary>
    public int Partition { get; } = source.Partition.Value;

    /// <summary>The partition number as a metric's label.</summary>
    public string Name { get; } = source.Partition.Value.ToString(CultureInfo.InvariantCulture);

    /// <summary>State of its keys.</summary>
    public PartitionState State { get; } = state;

    /// <summary>Rows that wait for labels or for other partitions.</summary>
    public StagedRows Staged { get; } = staged;

    /// <summary>Labels that are not applied yet; none where no feature counts labels.</summary>
    public PartitionLabels? Labels { get; } = labels;

    /// <summary>First offset that is answered: rows before it were answered before the restart and only rebuild state.</summary>
    public long ResumeOffset { get; init; }

    /// <summary>Offset after the last record received.</summary>
    public long ReceivedOffset { get; set; }

    /// <summary>Offset of its first row in the batch at hand, or -1.</summary>
    public long BatchOffset { get; set; } = -1;

    /// <summary>Whether state is still being rebuilt.</summary>
    public bool IsRebuilding { get; set; }

    /// <summary>Whether everything on the partition has been received.</summary>
    public bool IsAtEnd { get; set; }

    /// <summary>Timestamp since when.</summary>
    public long AtEndSince { get; set; }

    /// <summary>Whether the reader is told not to fetch it.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Whether its next row was found to have to wait in this cycle.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Whether the group has given it to another without asking: its rows are answered there, nothing is committed here.</summary>
    public bool IsLost { get; set; }

    /// <summary>What it has told the others.</summary>
    public PartitionShare Share { get; init; } = new();

    /// <summary>The offset to commit: everything before it is processed.</summary>
    public long Position
    {
        get
        {
            long position = Staged.Count > 0 ? Staged.HeadOffset : ReceivedOffset;
            return BatchOffset >= 0 ? Math.Min(BatchOffset, position) : position;
        }
    }
}
