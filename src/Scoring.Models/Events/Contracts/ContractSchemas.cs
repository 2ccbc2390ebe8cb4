using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Scoring.Models.Definitions;
using Scoring.Models.Packaging;

namespace Scoring.Models.Events.Contracts;

/// <summary>The contracts as JSON Schema 2020-12, generated from the records and their documentation: the files of <c>docs/contracts</c>.</summary>
public static class ContractSchemas
{
    private static readonly JsonSerializerOptions Wire = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
        RespectNullableAnnotations = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Records that are contracts, by file name. A further one is a line here.</summary>
    private static readonly (string File, Type Record)[] Records =
    [
        ("transaction.schema.json", typeof(Transaction)),
        ("label.schema.json", typeof(Label)),
        ("score.schema.json", typeof(Score)),
        ("alert.schema.json", typeof(Alert)),
        ("service-definition.schema.json", typeof(ServiceDefinition)),
    ];

    /// <summary>File name and text of every schema.</summary>
    /// <exception cref="FileNotFoundException">The documentation file, which descriptions come from, is not beside the assembly.</exception>
    public static IReadOnlyList<(string FileName, string Json)> All =>
        [.. Records.Select(record => (record.File, Text(Schema(record.Record)))), ("dead-letter-headers.schema.json", Text(DeadLetter())), ("model-headers.schema.json", Text(ModelHeaders()))];

    private static JsonObject Schema(Type record)
    {
        var exporter = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform };
        var schema = Wire.GetJsonSchemaAsNode(record, exporter).AsObject();
        if (record == typeof(ServiceDefinition))
        {
            var members = schema["properties"]!.AsObject();
            members.Remove("digest");
            members.Insert(0, "$schema", new JsonObject { ["type"] = "string", ["description"] = "This schema, for editors." });
        }

        return Head(record.Name, schema);
    }

    private static JsonObject DeadLetter()
    {
        var members = new JsonObject();
        foreach (var (name, meaning) in DeadLetterHeaders.All)
        {
            members[name] = new JsonObject { ["description"] = meaning, ["type"] = "string" };
        }

        members[DeadLetterHeaders.Code]!["enum"] = Names(Enum.GetValues<RefusalCode>().Where(code => code != RefusalCode.None).Select(RefusalTexts.Wire));
        string[] sometimes = [DeadLetterHeaders.OriginalSize, DeadLetterHeaders.OriginalSha256, DeadLetterHeaders.Masked];
        return Head("DeadLetterHeaders", new JsonObject
        {
            ["description"] = "Headers of a dead letter, UTF-8, beside the original's own. Its value is the original's, cut off above a limit and with card numbers masked.",
            ["type"] = "object",
            ["properties"] = members,
            ["required"] = Names(DeadLetterHeaders.All.Select(header => header.Name).Except(sometimes, StringComparer.Ordinal)),
        });
    }

    private static JsonObject ModelHeaders()
    {
        var members = new JsonObject();
        foreach (var (name, meaning) in ModelRecordHeaders.All)
        {
            members[name] = new JsonObject { ["description"] = meaning, ["type"] = "string" };
        }

        members[ModelRecordHeaders.ActionHeader]!["enum"] = Names([ModelRecordHeaders.Publish, ModelRecordHeaders.Rollback]);
        return Head("ModelRecordHeaders", new JsonObject
        {
            ["description"] = "Headers of a record of the models topic, UTF-8: what its signed package says, for people and tools. Workers decide by the signed manifest alone. A tombstone has none.",
            ["type"] = "object",
            ["properties"] = members,
            ["required"] = Names(ModelRecordHeaders.All.Select(header => header.Name)),
        });
    }

    private static JsonObject Head(string title, JsonObject schema)
    {
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", title);
        return schema;
    }

    private static JsonNode Transform(JsonSchemaExporterContext context, JsonNode node)
    {
        if (node is not JsonObject schema)
        {
            return node;
        }

        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        if (type == typeof(TimeSpan))
        {
            schema["pattern"] = "^([0-9]{1,9}(ms|s|m|h|d|w)|P.+)$";
        }

        if (string.Equals(type.Namespace, typeof(ServiceDefinition).Namespace, StringComparison.Ordinal) && schema.ContainsKey("properties"))
        {
            // Definition files are read strictly; events may hold more than the contract names.
            schema["additionalProperties"] = false;
        }

        if (context.PropertyInfo is { } property)
        {
            Narrow(property, schema);
        }

        string? description = context.PropertyInfo is { AttributeProvider: System.Reflection.MemberInfo member }
            ? XmlDocumentation.Summary(member)
            : context.Path.IsEmpty ? XmlDocumentation.Summary(type) : null;
        if (description is not null)
        {
            schema.Insert(0, "description", description);
        }

        return schema;
    }

    // What C# types do not say.
    private static void Narrow(JsonPropertyInfo property, JsonObject schema)
    {
        string name = property.Name;
        var owner = property.DeclaringType;
        IEnumerable<string>? values = (owner.Name, name) switch
        {
            (nameof(FeatureDefinition), "aggregate") => AggregateFacts.All.Select(facts => facts.Name),
            (nameof(RuleDefinition), "then") or (nameof(PolicyDefinition), "without_model") => ["approve", "review", "decline"],
            (nameof(AttributeMapping), "type") => ["text", "number", "integer", "boolean", "time"],
            (nameof(FieldMapping), "unit") => ["minor", "major", "micros", "rfc3339", "seconds", "milliseconds", "microseconds"],
            _ => null,
        };
        if (values is not null)
        {
            schema["enum"] = Names(values);
            if (schema["type"] is JsonArray)
            {
                schema["enum"]!.AsArray().Add(null);
            }
        }

        if (owner == typeof(LabelMapping) && name is "fraud_values")
        {
            schema["items"] = new JsonObject { ["type"] = Names(["string", "number", "boolean"]) };
        }

        if (owner == typeof(ServiceDefinition) && name is "features")
        {
            schema["maxItems"] = 1024;
        }

        if (owner == typeof(Transaction) && TransactionFields.All.FirstOrDefault(field => string.Equals(field.Name, name, StringComparison.Ordinal)) is { } field)
        {
            Narrow(field, schema);
        }
    }

    private static void Narrow(EventField field, JsonObject schema)
    {
        if (field.Kind == FieldKind.Text)
        {
            schema["minLength"] = 1;
            schema["maxLength"] = field.Format is FieldFormat.Country ? 3 : field.LengthMax;
        }

        string? pattern = field.Format switch
        {
            FieldFormat.Currency or FieldFormat.Country => "^([A-Za-z]{2,3}|[0-9]{1,3})$",
            FieldFormat.MerchantCategory => "^[0-9]{4}$",
            FieldFormat.Digits => "^[0-9]+$",
            FieldFormat.Category => "^[a-z0-9_]+$",
            _ => null,
        };
        if (pattern is not null)
        {
            schema["pattern"] = pattern;
        }

        double? limit = field.Format switch { FieldFormat.Latitude => 90, FieldFormat.Longitude => 180, _ => null };
        if (limit is not null)
        {
            schema["minimum"] = -limit;
            schema["maximum"] = limit;
        }

        if (field.Name is TransactionFields.AmountMinor)
        {
            schema["minimum"] = 0;
            schema["maximum"] = long.MaxValue;
        }
    }

    private static JsonArray Names(IEnumerable<string> names) => [.. names.Select(name => (JsonNode)name)];

    private static string Text(JsonObject schema) => schema.ToJsonString(Wire) + "\n";
}
