using System.Text;
using Scoring.Models.Definitions.Predicates;
using Scoring.Models.Events;
using Scoring.Models.Features;

namespace Scoring.Models.Tests.Definitions.Predicates;

/// <summary>One transaction as a dictionary, and the batch that holds it: what predicates are tested on.</summary>
internal sealed class PredicateWorld
{
    public static readonly string[] FeatureNames = ["account_count_1h", "amount_ratio"];

    public static readonly EventSchema Schema = new(
    [
        .. TransactionFields.All,
        new EventField("basket_weight", FieldKind.Number),
        new EventField("items", FieldKind.Integer),
        new EventField("gift", FieldKind.Boolean),
    ]);

    public static readonly PredicateScope Scope = PredicateScope.ForRules(Schema, FeatureNames);

    private readonly TransactionBatch batch = new(Schema, rowsMax: 1);
    private readonly FeatureBlock features = new(FeatureNames.Length, rowsMax: 1);
    private double score = double.NaN;

    /// <summary>Makes a row of the values given by name; null or absent is missing.</summary>
    public PredicateWorld(IReadOnlyDictionary<string, object?> values)
    {
        int row = batch.NextRow();
        for (int i = 0; i < FeatureNames.Length; i++)
        {
            features.Set(row, i, double.NaN);
        }

        foreach (var (name, value) in values)
        {
            if (value is not null)
            {
                Set(row, name, value);
            }
        }

        batch.Accept(partition: 0, offset: 0, appendTimeMs: 0);
    }

    public bool Evaluate(string text)
    {
        var reading = Predicate.Parse(text, Scope);
        Assert.True(reading.Predicate is not null, $"{text}: {string.Join("; ", reading.Faults)}");
        return Evaluate(reading.Predicate);
    }

    public bool Evaluate(Predicate predicate) => predicate.Evaluate(new PredicateInput(batch, 0, features, score, []));

    private void Set(int row, string name, object value)
    {
        if (name is "score")
        {
            score = (double)value;
            return;
        }

        int feature = Array.IndexOf(FeatureNames, name);
        if (feature >= 0)
        {
            features.Set(row, feature, (double)value);
            return;
        }

        int field = Schema.IndexOf(name);
        int column = Schema.ColumnIndex(field);
        switch (Schema.Fields[field].Kind)
        {
            case FieldKind.Text:
                batch.Text(column).Set(row, Encoding.UTF8.GetBytes((string)value));
                break;
            case FieldKind.Number:
                batch.Numbers(column)[row] = (double)value;
                break;
            case FieldKind.Integer:
                batch.Integers(column)[row] = (long)value;
                break;
            case FieldKind.Time:
                batch.Times(column)[row] = (long)value;
                break;
            default:
                batch.Booleans(column)[row] = (sbyte)((bool)value ? 1 : 0);
                break;
        }
    }
}
