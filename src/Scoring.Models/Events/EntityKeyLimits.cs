using Scoring.Models.Definitions;

namespace Scoring.Models.Events;

/// <summary>Refuses events whose values make a longer entity key than the definition allows.</summary>
internal sealed class EntityKeyLimits
{
    private readonly (int[] Fields, int[] Columns, int BytesMax)[] entities;

    public EntityKeyLimits(ServiceDefinition definition, EventSchema schema)
    {
        // Keys that cannot get too long by their fields' own limits need no look.
        entities =
        [
            .. definition.Entities.Values
                .Select(entity => (Fields: entity.Key.Select(schema.IndexOf).ToArray(), entity.KeyBytesMax))
                .Where(entity => entity.Fields.Sum(field => schema.Fields[field].LengthMax) > entity.KeyBytesMax)
                .Select(entity => (entity.Fields, entity.Fields.Select(schema.ColumnIndex).ToArray(), entity.KeyBytesMax)),
        ];
    }

    /// <summary>Checks a decoded row; an entity of which a field is missing is none and has no key.</summary>
    public Refusal Check(TransactionBatch batch, int row, FieldTarget[] targets)
    {
        foreach (var (fields, columns, bytesMax) in entities)
        {
            int total = 0;
            int longest = 0;
            bool isWhole = true;
            for (int i = 0; i < columns.Length; i++)
            {
                int length = batch.Text(columns[i])[row].Length;
                isWhole &= length > 0;
                total += length;
                longest = length > batch.Text(columns[longest])[row].Length ? i : longest;
            }

            if (isWhole && total > bytesMax)
            {
                return new Refusal(RefusalCode.KeyTooLong, targets[fields[longest]].Display, 0);
            }
        }

        return Refusal.None;
    }
}
