using System.Globalization;
using Scoring.Models.Events;

namespace Scoring.Models.Definitions;

/// <summary>Checks features against the table of aggregates, the entities and the mapped fields.</summary>
internal sealed class FeatureChecks(ServiceDefinition definition, Dictionary<string, EventField> fields, List<DefinitionFault> faults)
{
    private const int FeaturesMax = 1024;

    public void Run()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < definition.Features.Count; i++)
        {
            var feature = definition.Features[i];
            string path = string.Create(CultureInfo.InvariantCulture, $"$.features[{i}]");
            CheckName(path, feature.Name, names);
            if (feature.Aggregate.Length == 0)
            {
                continue;
            }

            if (AggregateFacts.Find(feature.Aggregate) is not { } facts)
            {
                Fault($"{path}.aggregate", $"\"{feature.Aggregate}\" is no aggregate", NearestName.Fix(feature.Aggregate, [.. AggregateFacts.All.Select(known => known.Name)]));
                continue;
            }

            CheckNeeds(path, feature, facts);
            CheckField(path, "of", feature.Of, facts);
            CheckEntity(path, feature, facts);
            CheckExtras(path, feature, facts);
        }

        if (definition.Features.Count > FeaturesMax)
        {
            Fault("$.features", string.Create(CultureInfo.InvariantCulture, $"holds {definition.Features.Count} features"), "keep at most 1024");
        }
    }

    private void CheckName(string path, string name, HashSet<string> names)
    {
        if (name.Length == 0)
        {
            return;
        }

        if (!DefinitionChecks.IsIdentifier(name))
        {
            Fault($"{path}.name", $"\"{name}\" is no feature name", "use 1 to 64 of letters, digits and _, not starting with a digit");
        }
        else if (!names.Add(name))
        {
            Fault($"{path}.name", $"a second feature is named \"{name}\"", "give each feature a name of its own");
        }
        else if (fields.ContainsKey(name) || name is "amount" or "score" or "true" or "false" or "null" or "in")
        {
            Fault($"{path}.name", $"\"{name}\" means something else in rules", "give the feature another name");
        }
    }

    private void CheckNeeds(string path, FeatureDefinition feature, AggregateFacts facts)
    {
        CheckNeed(path, "entity", facts.Entity, feature.Entity is not null, feature.Aggregate, "name one of the entities");
        CheckNeed(path, "of", facts.Of, feature.Of is not null, feature.Aggregate, "name the field, e.g. \"amount\"");
        CheckNeed(path, "window", facts.Window, feature.Window is not null, feature.Aggregate, "give a duration, e.g. \"7d\"");
        CheckNeed(path, "with", facts.Name is "mismatch" ? Need.Required : Need.Never, feature.With is not null, feature.Aggregate, "name the other field");
        CheckNeed(path, "values", facts.Name is "membership" ? Need.Required : Need.Never, feature.Values is { Count: > 0 }, feature.Aggregate, "list the values");
        CheckNeed(path, "hours", facts.Name is "night" ? Need.Optional : Need.Never, feature.Hours is not null, feature.Aggregate, "");
        CheckNeed(path, "where", facts.Entity == Need.Required ? Need.Optional : Need.Never, feature.Where is not null, feature.Aggregate, "");
        CheckNeed(path, "delay", facts.Window == Need.Never ? Need.Never : Need.Optional, feature.Delay is not null, feature.Aggregate, "");
    }

    private void CheckNeed(string path, string member, Need need, bool there, string aggregate, string fix)
    {
        bool isReported = faults.Exists(fault => fault.Path.StartsWith($"{path}.{member}", StringComparison.Ordinal));
        if (need == Need.Required && !there && !isReported)
        {
            Fault($"{path}.{member}", $"is missing: {aggregate} needs it", fix);
        }
        else if (need == Need.Never && there)
        {
            Fault($"{path}.{member}", $"has no meaning for {aggregate}", "remove it");
        }
    }

    private void CheckField(string path, string member, string? name, AggregateFacts facts)
    {
        if (name is null || facts.Of == Need.Never)
        {
            return;
        }

        var usable = fields.Values.Where(field => Takes(facts, field.Kind)).Select(field => field.Name)
            .Concat(Takes(facts, FieldKind.Number) ? ["amount"] : []).ToList();
        if (usable.Contains(name, StringComparer.Ordinal))
        {
            return;
        }

        bool exists = name is "amount" || fields.ContainsKey(name);
        Fault(
            $"{path}.{member}",
            exists ? $"\"{name}\" is {KindOf(name)}: {facts.Name} takes {facts.OfKinds.Replace(" ", " or ", StringComparison.Ordinal)}" : $"\"{name}\" is no mapped field",
            NearestName.Fix(name, usable));
    }

    private string KindOf(string name) => name is "amount" ? "a number" : fields[name].Kind switch
    {
        FieldKind.Integer => "an integer",
        FieldKind.Text => "a text",
        FieldKind.Time => "a time",
        FieldKind.Boolean => "a boolean",
        _ => "a number",
    };

    private static bool Takes(AggregateFacts facts, FieldKind kind) => kind switch
    {
        FieldKind.Text => facts.OfKinds.Contains("text", StringComparison.Ordinal),
        FieldKind.Time => facts.OfKinds.Contains("time", StringComparison.Ordinal),
        _ => facts.OfKinds.Contains("number", StringComparison.Ordinal),
    };

    private void CheckEntity(string path, FeatureDefinition feature, AggregateFacts facts)
    {
        if (feature.Entity is not { } name || facts.Entity == Need.Never)
        {
            return;
        }

        if (!definition.Entities.TryGetValue(name, out var entity))
        {
            Fault($"{path}.entity", $"\"{name}\" is no entity", NearestName.Fix(name, [.. definition.Entities.Keys]));
            return;
        }

        if (entity.Shared is { } shared)
        {
            if (!facts.Additive)
            {
                string additive = string.Join(", ", AggregateFacts.All.Where(known => known.Additive).Select(known => known.Name));
                Fault($"{path}.aggregate", $"{facts.Name} of {name}, a shared entity, cannot be added up over partitions", $"use one of {additive}, or an entity whose key holds the partition key");
            }

            if (feature.Window is { } window && window.Ticks % shared.Pane.Ticks != 0)
            {
                Fault($"{path}.window", $"{DurationText.Format(window)} is no multiple of {name}'s pane, {DurationText.Format(shared.Pane)}", "use a multiple, or a shorter pane");
            }
        }
    }

    private void CheckExtras(string path, FeatureDefinition feature, AggregateFacts facts)
    {
        if (facts.Name is "mismatch")
        {
            CheckField(path, "with", feature.With, facts);
        }

        if (facts.Name is "distance_from_last" or "speed_from_last" && !(fields.ContainsKey("latitude") && fields.ContainsKey("longitude")))
        {
            Fault($"{path}.aggregate", $"{facts.Name} needs latitude and longitude, which are not mapped", "map both under events.fields");
        }

        if (!feature.Exact && !facts.Panes)
        {
            Fault($"{path}.exact", $"{facts.Name} cannot be kept in panes", "remove it");
        }

        if (feature.Reason is { } reason && !DefinitionChecks.IsName(reason, 64, c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_'))
        {
            Fault($"{path}.reason", $"\"{reason}\" is no reason code", "use 1 to 64 of A-Z, 0-9 and _");
        }
    }

    private void Fault(string path, string problem, string fix) => faults.Add(new DefinitionFault(path, problem, fix));
}
