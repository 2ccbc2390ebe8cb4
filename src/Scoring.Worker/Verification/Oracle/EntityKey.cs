using Scoring.Models.Definitions;
using Scoring.Models.Events;

namespace Scoring.Worker.Verification.Oracle;

/// <summary>The key of an entity: its fields, joined by the unit separator, which no identifier holds.</summary>
internal sealed class EntityKey(EntityDefinition entity, EventSchema schema)
{
    private readonly OracleField[] fields = [.. entity.Key.Select(name => new OracleField(schema, name))];

    /// <summary>The key of an event; null when it lacks a field of it.</summary>
    public string? Of(TransactionBatch batch, int row)
    {
        var parts = new string[fields.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (fields[i].Text(batch, row) is not { } part)
            {
                return null;
            }

            parts[i] = part;
        }

        return string.Join('\u001f', parts);
    }
}
