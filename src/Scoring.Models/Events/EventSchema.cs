using Scoring.Models.Definitions;

namespace Scoring.Models.Events;

/// <summary>The columns of one service's events: the mapped fields of our contract and the service's own attributes.</summary>
/// <remarks>Fields of one kind share an array of columns; <see cref="ColumnIndex"/> is a field's place in it.</remarks>
public sealed class EventSchema
{
    private readonly Dictionary<string, int> indexByName = new(StringComparer.Ordinal);
    private readonly int[] columnIndex;

    /// <summary>Lays out columns for <paramref name="fields"/>, whose names must differ.</summary>
    /// <exception cref="ArgumentException">Two fields have one name, or a required field is missing or of another kind.</exception>
    public EventSchema(IReadOnlyList<EventField> fields)
    {
        Fields = fields;
        columnIndex = new int[fields.Count];
        var columns = new int[Enum.GetValues<FieldKind>().Length];
        for (int i = 0; i < fields.Count; i++)
        {
            if (!indexByName.TryAdd(fields[i].Name, i))
            {
                throw new ArgumentException($"two fields are named {fields[i].Name}", nameof(fields));
            }

            columnIndex[i] = columns[(int)fields[i].Kind]++;
        }

        ColumnCounts = columns;
        TransactionId = Require(TransactionFields.TransactionId, FieldKind.Text);
        EventTime = Require(TransactionFields.EventTime, FieldKind.Time);
        AmountMinor = Require(TransactionFields.AmountMinor, FieldKind.Integer);
        Currency = Require(TransactionFields.Currency, FieldKind.Text);
        AccountId = Require(TransactionFields.AccountId, FieldKind.Text);
        MerchantId = Require(TransactionFields.MerchantId, FieldKind.Text);
    }

    /// <summary>The columns of a definition's events: the mapped fields in the order of the contract, then its attributes.</summary>
    public static EventSchema From(ServiceDefinition definition) => new(FieldsOf(definition));

    /// <summary>The fields; a field's place here is its field index.</summary>
    public IReadOnlyList<EventField> Fields { get; }

    /// <summary>Number of columns of each <see cref="FieldKind"/>.</summary>
    public IReadOnlyList<int> ColumnCounts { get; }

    /// <summary>Text column of <c>transaction_id</c>.</summary>
    public int TransactionId { get; }

    /// <summary>Time column of <c>event_time</c>.</summary>
    public int EventTime { get; }

    /// <summary>Integer column of <c>amount_minor</c>.</summary>
    public int AmountMinor { get; }

    /// <summary>Text column of <c>currency</c>.</summary>
    public int Currency { get; }

    /// <summary>Text column of <c>account_id</c>.</summary>
    public int AccountId { get; }

    /// <summary>Text column of <c>merchant_id</c>.</summary>
    public int MerchantId { get; }

    /// <summary>The place of a field in <see cref="Fields"/>, or -1.</summary>
    public int IndexOf(string name) => indexByName.GetValueOrDefault(name, -1);

    /// <summary>The column of a field among those of its kind.</summary>
    public int ColumnIndex(int fieldIndex) => columnIndex[fieldIndex];

    internal static IReadOnlyList<EventField> FieldsOf(ServiceDefinition definition)
    {
        var mapped = definition.Events.Fields;
        return
        [
            .. TransactionFields.All.Where(field => mapped is null || mapped.ContainsKey(field.Name)),
            .. definition.Events.Attributes.Select(attribute => FieldOf(attribute.Key, attribute.Value)),
        ];
    }

    internal static EventField FieldOf(string name, AttributeMapping attribute) => new(
        name,
        attribute.Type switch
        {
            "number" => FieldKind.Number,
            "integer" => FieldKind.Integer,
            "boolean" => FieldKind.Boolean,
            "time" => FieldKind.Time,
            _ => FieldKind.Text,
        },
        Required: attribute.Required);

    private int Require(string name, FieldKind kind)
    {
        int index = IndexOf(name);
        return index >= 0 && Fields[index].Kind == kind
            ? columnIndex[index]
            : throw new ArgumentException($"the schema needs the field {name} of kind {kind}", nameof(name));
    }
}
