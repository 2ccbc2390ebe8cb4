using System.Text.Json;

namespace Scoring.Models.Definitions;

/// <summary>Turns the JSON of a definition file into its records, one method per record. Knows names and types; what the parts mean to each other is <see cref="DefinitionChecks"/>' matter.</summary>
internal sealed class DefinitionParts(List<DefinitionFault> faults)
{
    public ServiceDefinition Read(JsonElement root)
    {
        var file = new DefinitionObject(root, "$", faults);
        if (root.ValueKind != JsonValueKind.Object)
        {
            return new ServiceDefinition { Service = "", Events = new EventMapping() };
        }

        file.Text("$schema"); // for editors
        var definition = new ServiceDefinition
        {
            Service = file.Text("service", required: true) ?? "",
            Version = file.Integer("version", 1, 1, int.MaxValue),
            Description = file.Text("description"),
            Events = Events(file),
            Labels = Labels(file.Object("labels")),
            Entities = Entities(file),
            Features = [.. file.Objects("features").Select(Feature)],
            Rules = [.. file.Objects("rules").Select(Rule)],
            Policy = Policy(file.Object("policy")),
            Model = Model(file.Object("model")),
            Topics = Topics(file.Object("topics")),
            Duplicates = Duplicates(file.Object("duplicates")),
            Time = Time(file.Object("time")),
        };
        file.Close();
        return definition;
    }

    private static EventMapping Events(DefinitionObject file)
    {
        if (file.Object("events", required: true) is not { } events)
        {
            return new EventMapping();
        }

        Dictionary<string, FieldMapping>? fields = null;
        if (events.Names.Contains("fields", StringComparer.Ordinal))
        {
            fields = new(StringComparer.Ordinal);
            foreach (var (name, value) in events.Map("fields"))
            {
                fields[name] = Mapping(value, new FieldMapping());
                value.Close();
            }
        }

        var attributes = new Dictionary<string, AttributeMapping>(StringComparer.Ordinal);
        foreach (var (name, value) in events.Map("attributes"))
        {
            attributes[name] = Mapping(value, new AttributeMapping { Type = value.Text("type", required: true) ?? "", Required = value.Flag("required", otherwise: false) });
            value.Close();
        }

        if (fields is null)
        {
            events.Object("fields"); // known, absent
        }

        events.Close();
        return new EventMapping { Fields = fields, Attributes = attributes };
    }

    private static T Mapping<T>(DefinitionObject value, T mapping)
        where T : FieldMapping =>
        mapping with
        {
            Path = value.Text("path"),
            Constant = value.Text("constant"),
            Unit = value.Text("unit"),
            Epoch = value.Time("epoch"),
            Round = value.Flag("round", otherwise: false),
            AllowInteger = value.Flag("allow_integer", otherwise: false),
            Token = value.Flag("token", otherwise: false),
        };

    private static LabelMapping Labels(DefinitionObject? labels)
    {
        var mapping = new LabelMapping();
        if (labels is null)
        {
            return mapping;
        }

        mapping = new LabelMapping
        {
            Delay = labels.Duration("delay", zeroAllowed: true) ?? mapping.Delay,
            Path = labels.Text("path"),
            FraudValues = FraudValues(labels) ?? mapping.FraudValues,
            RecentTransactionsMax = labels.Integer("recent_transactions_max", mapping.RecentTransactionsMax, 0, 100_000_000),
        };
        labels.Close();
        return mapping;
    }

    // 1, true and "fraud" may stand in the file as they stand in the events.
    private static List<string>? FraudValues(DefinitionObject labels)
    {
        var items = labels.Items("fraud_values");
        foreach (var (value, path) in items ?? [])
        {
            if (value.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null)
            {
                labels.Fault(path, $"is {DefinitionObject.Describe(value)}", "write a text, a number or a boolean");
            }
        }

        return items?.Select(item => item.Value.ValueKind == JsonValueKind.String ? item.Value.GetString()! : item.Value.GetRawText()).ToList();
    }

    private static Dictionary<string, EntityDefinition> Entities(DefinitionObject file)
    {
        var entities = new Dictionary<string, EntityDefinition>(StringComparer.Ordinal);
        foreach (var (name, value) in file.Map("entities"))
        {
            var key = value.Texts("key");
            if (key is null && !value.Names.Contains("key", StringComparer.Ordinal))
            {
                value.Fault(value.At("key"), "is missing", "name the fields that make the key, e.g. [\"account_id\"]");
            }

            var entity = new EntityDefinition { Key = key ?? [] };
            entities[name] = entity with
            {
                Shared = Shared(value.Object("shared")),
                KeysMax = value.Integer("keys_max", entity.KeysMax, 1, 100_000_000),
                KeyBytesMax = value.Integer("key_bytes_max", entity.KeyBytesMax, 8, 256),
                EventsMax = value.Integer("events_max", entity.EventsMax, 8, 8_192),
            };
            value.Close();
        }

        return entities;
    }

    private static SharedDefinition? Shared(DefinitionObject? shared)
    {
        if (shared is null)
        {
            return null;
        }

        var defaults = new SharedDefinition();
        defaults = new SharedDefinition
        {
            Pane = shared.Duration("pane") ?? defaults.Pane,
            Settle = shared.Duration("settle", zeroAllowed: true) ?? defaults.Settle,
        };
        shared.Close();
        return defaults;
    }

    private static FeatureDefinition Feature(DefinitionObject value)
    {
        var feature = new FeatureDefinition
        {
            Name = value.Text("name", required: true) ?? "",
            Entity = value.Text("entity"),
            Aggregate = value.Text("aggregate", required: true) ?? "",
            Of = value.Text("of"),
            With = value.Text("with"),
            Window = value.Duration("window"),
            Delay = value.Duration("delay", zeroAllowed: true),
            Exact = value.Flag("exact", otherwise: true),
            Where = value.Text("where"),
            Values = value.Texts("values"),
            Hours = Hours(value),
            Empty = value.Number("empty"),
            Reason = value.Text("reason"),
            Text = value.Text("text"),
        };
        value.Close();
        return feature;
    }

    private static List<int>? Hours(DefinitionObject feature)
    {
        var items = feature.Items("hours");
        if (items is null)
        {
            return null;
        }

        var hours = new List<int>();
        foreach (var (value, _) in items)
        {
            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int hour) && hour is >= 0 and <= 23)
            {
                hours.Add(hour);
            }
        }

        if (hours.Count != 2 || items.Count != 2)
        {
            feature.Fault(feature.At("hours"), "is not a first and a last hour", "write two numbers from 0 to 23, e.g. [0, 5]");
            return null;
        }

        return hours;
    }

    private static RuleDefinition Rule(DefinitionObject value)
    {
        var rule = new RuleDefinition
        {
            Name = value.Text("name", required: true) ?? "",
            When = value.Text("when", required: true) ?? "",
            Then = value.Text("then", required: true) ?? "",
            Reason = value.Text("reason"),
            Shadow = value.Flag("shadow", otherwise: false),
        };
        value.Close();
        return rule;
    }

    private static PolicyDefinition Policy(DefinitionObject? policy)
    {
        var defaults = new PolicyDefinition();
        if (policy is null)
        {
            return defaults;
        }

        defaults = new PolicyDefinition
        {
            Review = policy.Number("review"),
            Decline = policy.Number("decline"),
            WithoutModel = policy.Text("without_model") ?? defaults.WithoutModel,
        };
        policy.Close();
        return defaults;
    }

    private static ModelDefinition Model(DefinitionObject? model)
    {
        var defaults = new ModelDefinition();
        if (model is null)
        {
            return defaults;
        }

        defaults = new ModelDefinition { Channel = model.Text("channel") ?? defaults.Channel };
        model.Close();
        return defaults;
    }

    private static TopicDefinition Topics(DefinitionObject? topics)
    {
        var defaults = new TopicDefinition();
        if (topics is null)
        {
            return defaults;
        }

        defaults = new TopicDefinition
        {
            Transactions = topics.Text("transactions") ?? defaults.Transactions,
            Labels = topics.Text("labels") ?? defaults.Labels,
            Scores = topics.Text("scores") ?? defaults.Scores,
            Alerts = topics.Text("alerts") ?? defaults.Alerts,
            DeadLetters = topics.Text("dead_letters"),
            Aggregates = topics.Text("aggregates"),
            State = topics.Text("state"),
            Models = topics.Text("models") ?? defaults.Models,
        };
        topics.Close();
        return defaults;
    }

    private static DuplicateDefinition? Duplicates(DefinitionObject? duplicates)
    {
        if (duplicates is null)
        {
            return null;
        }

        var defaults = new DuplicateDefinition();
        defaults = new DuplicateDefinition
        {
            Window = duplicates.Duration("window") ?? defaults.Window,
            TransactionsMax = duplicates.Integer("transactions_max", defaults.TransactionsMax, 1, 100_000_000),
        };
        duplicates.Close();
        return defaults;
    }

    private static TimeDefinition Time(DefinitionObject? time)
    {
        var defaults = new TimeDefinition();
        if (time is null)
        {
            return defaults;
        }

        defaults = new TimeDefinition
        {
            FutureTolerance = time.Duration("future_tolerance", zeroAllowed: true) ?? defaults.FutureTolerance,
            Earliest = time.Time("earliest") ?? defaults.Earliest,
        };
        time.Close();
        return defaults;
    }
}
