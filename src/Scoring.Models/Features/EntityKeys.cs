using Scoring.Models.Events;
using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features;

/// <summary>Builds the key of an entity from an event's fields.</summary>
/// <remarks>Several fields are joined by the unit separator, which no identifier holds.</remarks>
internal sealed class EntityKeys(FeaturePlan plan)
{
    private const byte Separator = 0x1F;

    private readonly byte[] buffer = new byte[plan.Entities.Select(entity => entity.KeyBytesMax).DefaultIfEmpty().Max()];

    /// <summary>The key, valid until the next one is asked for; empty when the event lacks a field of it or it is too long (counted).</summary>
    public ReadOnlySpan<byte> Of(EntityPlan entity, TransactionBatch batch, int row, PartitionState state)
    {
        var key = Of(entity, batch, row, out bool isTooLong);
        if (isTooLong)
        {
            state.CountersToChange.KeysTooLong++;
        }

        return key;
    }

    /// <summary>The same, counted by nobody.</summary>
    public ReadOnlySpan<byte> Of(EntityPlan entity, TransactionBatch batch, int row, out bool isTooLong)
    {
        isTooLong = false;
        int length = 0;
        for (int i = 0; i < entity.KeyColumns.Length; i++)
        {
            var part = batch.Text(entity.KeyColumns[i])[row];
            if (part.IsEmpty)
            {
                return default;
            }

            int separators = i > 0 ? 1 : 0;
            if (length + separators + part.Length > entity.KeyBytesMax)
            {
                isTooLong = true;
                return default;
            }

            if (separators > 0)
            {
                buffer[length++] = Separator;
            }

            part.CopyTo(buffer.AsSpan(length));
            length += part.Length;
        }

        return buffer.AsSpan(0, length);
    }
}
