using System.Text.Json;

namespace Scoring.Worker.Checkpoints;

/// <summary>What a checkpoint is of: the first block of its file, JSON. A file of anything else than what is looked for is as good as none.</summary>
/// <param name="Version">Of the format: <see cref="CurrentVersion"/>.</param>
/// <param name="Topic">The topic of state.</param>
/// <param name="TopicId">Its identifier: one that was made anew under the same name has another.</param>
/// <param name="Partition">Partition of it.</param>
/// <param name="PartitionCount">Partitions of the input.</param>
/// <param name="Shape">What the words of the records mean (<see cref="Models.Features.PartitionState.Shape"/>).</param>
/// <param name="Offset">First record of the topic that is not in it for certain: reading goes on here.</param>
/// <param name="BeganAtMs">When it was begun, ms since 1970 UTC.</param>
internal sealed record CheckpointHeader(int Version, string Topic, string TopicId, int Partition, int PartitionCount, uint Shape, long Offset, long BeganAtMs)
{
    /// <summary>Version of the format.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Age at which a checkpoint is of no use, at most: a broker keeps for a day (<c>delete.retention.ms</c> of the topic; half of it where it is set to less) what says that a key was taken away; an older copy would have the key for ever.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromHours(12);

    /// <summary>The header as the bytes of a block.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this);

    /// <summary>Reads a header.</summary>
    /// <returns>Null where the bytes are none.</returns>
    public static CheckpointHeader? Of(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize<CheckpointHeader>(bytes);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Why this checkpoint is not one that was looked for; null when it is.</summary>
    /// <param name="wanted">What is looked for, with no offset and no time.</param>
    /// <param name="low">First retained offset of the partition.</param>
    /// <param name="high">Its end.</param>
    /// <param name="nowMs">Wall clock, ms since 1970 UTC.</param>
    /// <param name="ageMax">Age at which it is of no use.</param>
    public string? Mismatch(CheckpointHeader wanted, long low, long high, long nowMs, TimeSpan ageMax)
    {
        if (this with { Offset = wanted.Offset, BeganAtMs = wanted.BeganAtMs } != wanted)
        {
            return Version != wanted.Version ? FormattableString.Invariant($"it is of format {Version}, this build reads {wanted.Version}")
                : !string.Equals(TopicId, wanted.TopicId, StringComparison.Ordinal) ? "the topic was made anew since"
                : Shape != wanted.Shape ? "it is of another definition"
                : "it is of another topic or partition";
        }

        if (Offset <= low || Offset > high) // At the first one: the topic was emptied, and its state is not wanted any more.
        {
            return FormattableString.Invariant($"it goes on at offset {Offset}, the topic has {low} to {high}");
        }

        long ageMs = nowMs - BeganAtMs;
        return ageMs < 0 || ageMs > ageMax.TotalMilliseconds ? FormattableString.Invariant($"it is {ageMs / 3_600_000.0:F1} h old, {ageMax.TotalHours:F1} h are allowed") : null;
    }
}
