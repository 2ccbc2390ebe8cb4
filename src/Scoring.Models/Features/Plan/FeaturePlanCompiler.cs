using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;

namespace Scoring.Models.Features.Plan;

/// <summary>Turns a definition's features into ops and record layouts.</summary>
internal sealed class FeaturePlanCompiler(ServiceDefinition definition, EventSchema schema)
{
    private const int FormatVersion = 2;

    public FeaturePlan Compile()
    {
        var entities = new List<EntityPlan>();
        foreach (var (name, entity) in definition.Entities.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var features = definition.Features.Index().Where(pair => string.Equals(pair.Item.Entity, name, StringComparison.Ordinal)).ToList();
            if (features.Count > 0)
            {
                var builder = new EntityPlanBuilder(name, entities.Count, entity, schema, definition.Labels);
                features.ForEach(pair => builder.Add(pair.Index, pair.Item));
                entities.Add(builder.Build());
            }
        }

        var stateless = definition.Features.Index().Where(pair => pair.Item.Entity is null).Select(pair => Stateless(pair.Index, pair.Item));
        return new FeaturePlan(schema, [.. definition.Features.Select(feature => feature.Name)], [.. entities], [.. stateless], Digest(), definition);
    }

    public static AggregateKind KindOf(FeatureDefinition feature)
    {
        string name = feature.Aggregate.Replace("_", "", StringComparison.Ordinal);
        return Enum.TryParse<AggregateKind>(name, ignoreCase: true, out var kind) && !char.IsAsciiDigit(name[0])
            ? kind
            : throw new ArgumentException($"feature {feature.Name}: there is no aggregate {feature.Aggregate}; see the list in docs of FeatureDefinition.Aggregate", nameof(feature));
    }

    public static FieldSource FieldOf(EventSchema schema, string feature, string? name)
    {
        if (string.Equals(name, "amount", StringComparison.Ordinal))
        {
            return new FieldSource(FieldOrigin.Amount, schema.AmountMinor);
        }

        int index = name is null ? -1 : schema.IndexOf(name);
        if (index < 0)
        {
            throw new ArgumentException($"feature {feature}: there is no field {name ?? "(none)"}; map it, or name one that is", nameof(name));
        }

        var origin = schema.Fields[index].Kind switch
        {
            FieldKind.Text => FieldOrigin.Text,
            FieldKind.Integer => FieldOrigin.Integer,
            FieldKind.Time => FieldOrigin.Time,
            FieldKind.Boolean => FieldOrigin.Boolean,
            _ => FieldOrigin.Number,
        };
        return new FieldSource(origin, schema.ColumnIndex(index));
    }

    private FeatureOp Stateless(int index, FeatureDefinition feature)
    {
        var kind = KindOf(feature);
        bool ofTime = kind is AggregateKind.Hour or AggregateKind.Weekday or AggregateKind.Weekend or AggregateKind.Night;
        if (kind < AggregateKind.Value)
        {
            throw new ArgumentException($"feature {feature.Name}: {feature.Aggregate} needs an entity; name one of the definition's entities", nameof(feature));
        }

        return new FeatureOp
        {
            Kind = kind,
            Feature = index,
            Empty = feature.Empty ?? double.NaN,
            Source = FieldOf(schema, feature.Name, feature.Of ?? (ofTime ? TransactionFields.EventTime : null)),
            With = kind == AggregateKind.Mismatch ? FieldOf(schema, feature.Name, feature.With) : default,
            Members = [.. (feature.Values ?? []).Select(Encoding.UTF8.GetBytes)],
            Hours = HourBits(feature.Hours ?? [0, 5]),
        };
    }

    /// <summary>Bits of the hours from first to last, both included, over midnight where the last is smaller.</summary>
    private static int HourBits(IReadOnlyList<int> hours)
    {
        int bits = 0;
        for (int hour = hours[0]; ; hour = (hour + 1) % 24)
        {
            bits |= 1 << hour;
            if (hour == hours[^1] % 24)
            {
                return bits;
            }
        }
    }

    // Without limits (keys, bytes, events kept): an operator who raises one because a counter says so keeps the models. Nor what becomes of repeated
    // transactions: values of those that come once do not depend on it.
    private string Digest()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"plan {FormatVersion}\nlabels {definition.Labels.Delay}\n");
        foreach (var (name, entity) in definition.Entities.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"entity {name} {string.Join(',', entity.Key)} {entity.Shared?.Pane} {entity.Shared?.Settle}\n");
        }

        foreach (var f in definition.Features)
        {
            text.Append(CultureInfo.InvariantCulture, $"feature {f.Name} {f.Entity} {f.Aggregate} {f.Of} {f.With} {f.Window} {f.Delay} {f.Exact} {f.Empty}")
                .Append(CultureInfo.InvariantCulture, $" {string.Join(',', f.Hours ?? [])} [{string.Join('\u001f', f.Values ?? [])}] [{f.Where}]\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
