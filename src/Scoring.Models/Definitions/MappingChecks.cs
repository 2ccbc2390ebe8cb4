using System.Globalization;
using System.Text;
using Scoring.Models.Events;
using Scoring.Models.Events.Values;

namespace Scoring.Models.Definitions;

/// <summary>Checks where fields come from: paths, constants, units, and that every required field is mapped.</summary>
internal sealed class MappingChecks(ServiceDefinition definition, List<DefinitionFault> faults)
{
    private static readonly string[] MoneyUnits = ["minor", "major", "micros"];
    private static readonly string[] TimeUnits = ["rfc3339", "seconds", "milliseconds", "microseconds"];
    private static readonly string[] Types = ["text", "number", "integer", "boolean", "time"];
    private static readonly string[] ReservedNames = ["amount", "score", "median", "mean", "count", "true", "false", "null", "in", "metadata"];

    private readonly List<(string Path, IReadOnlyList<string> Names)> paths = [];

    public void Run()
    {
        var contract = TransactionFields.All.ToDictionary(field => field.Name, StringComparer.Ordinal);
        foreach (var (name, mapping) in definition.Events.Fields ?? new Dictionary<string, FieldMapping>(StringComparer.Ordinal))
        {
            string path = $"$.events.fields.{name}";
            if (contract.TryGetValue(name, out var field))
            {
                Check(path, field, mapping);
            }
            else
            {
                Fault(path, $"\"{name}\" is no field of the contract", $"{NearestName.Fix(name, [.. contract.Keys])} (fields of your own go under events.attributes)");
            }
        }

        foreach (var field in TransactionFields.All.Where(field => field.Required))
        {
            if (definition.Events.Fields is { } fields && !fields.ContainsKey(field.Name))
            {
                Fault($"$.events.fields.{field.Name}", "is missing: the contract requires it", $"add \"{field.Name}\": {{ \"path\": \"...\" }}");
            }
        }

        foreach (var (name, attribute) in definition.Events.Attributes)
        {
            CheckAttribute($"$.events.attributes.{name}", name, attribute, contract);
        }

        CheckPathsApart();
    }

    private void CheckAttribute(string path, string name, AttributeMapping attribute, Dictionary<string, EventField> contract)
    {
        if (!DefinitionChecks.IsIdentifier(name))
        {
            Fault(path, $"\"{name}\" is no attribute name", "use 1 to 64 of letters, digits and _, not starting with a digit");
        }
        else if (contract.ContainsKey(name) || ReservedNames.Contains(name, StringComparer.Ordinal))
        {
            Fault(path, $"\"{name}\" means something else already", "give the attribute another name, or map the field under events.fields");
        }

        if (attribute.Type.Length > 0 && !Types.Contains(attribute.Type, StringComparer.Ordinal))
        {
            Fault($"{path}.type", $"\"{attribute.Type}\" is no type", NearestName.Fix(attribute.Type, Types));
        }
        else if (attribute.Type.Length > 0)
        {
            Check(path, EventSchema.FieldOf(name, attribute), attribute);
        }
    }

    private void Check(string path, EventField field, FieldMapping mapping)
    {
        if (mapping.Path is null == mapping.Constant is null)
        {
            Fault(path, mapping.Path is null ? "has neither path nor constant" : "has both path and constant", "give one of them");
        }

        if (mapping.Path is { } text)
        {
            if (MemberPath.Split(text) is { } names)
            {
                paths.Add((path, names));
            }
            else
            {
                Fault($"{path}.path", $"\"{text}\" is no path", $"write 1 to {MemberPath.DepthMax} member names separated by dots");
            }
        }

        CheckUnit(path, field, mapping);
        if (mapping.AllowInteger && field.Kind != FieldKind.Text)
        {
            Fault($"{path}.allow_integer", $"{field.Name} is no text", "remove it: it turns integers into texts");
        }

        if (mapping.Round && mapping.Unit is not ("major" or "micros"))
        {
            Fault($"{path}.round", "rounds only money in major units or micros", "remove it");
        }

        if (mapping.Token && field.Kind != FieldKind.Text)
        {
            Fault($"{path}.token", $"{field.Name} is no text", "remove it");
        }

        if (mapping.Constant is not null && mapping.Unit is not (null or "minor" or "rfc3339"))
        {
            Fault($"{path}.unit", "says how a value is read, but a constant is written as the contract has it", "remove it, and write money in minor units, a time in RFC 3339");
        }

        if (mapping.Constant is { } constant && !IsGoodConstant(field, mapping, constant))
        {
            Fault($"{path}.constant", $"\"{constant}\" is no value of {field.Name}", $"write {Describe(field)}");
        }
    }

    private void CheckUnit(string path, EventField field, FieldMapping mapping)
    {
        string[] units = field.Name is TransactionFields.AmountMinor ? MoneyUnits : field.Kind == FieldKind.Time ? TimeUnits : [];
        if (mapping.Unit is { } unit && !units.Contains(unit, StringComparer.Ordinal))
        {
            Fault($"{path}.unit", units.Length == 0 ? $"{field.Name} has no unit" : $"\"{unit}\" is no unit of {field.Name}", NearestName.Fix(unit, units));
        }

        if (mapping.Epoch is not null && (field.Kind != FieldKind.Time || mapping.Unit is null or "rfc3339"))
        {
            Fault($"{path}.epoch", "counts from an epoch only where a time is a number", "give a unit such as \"seconds\", or remove it");
        }
    }

    private static bool IsGoodConstant(EventField field, FieldMapping mapping, string constant)
    {
        var bytes = Encoding.UTF8.GetBytes(constant);
        return field.Kind switch
        {
            FieldKind.Text => TextFormats.Check(field.Format, field.LengthMax, bytes, out _) == RefusalCode.None
                && (mapping.Token || !CardNumbers.IsSuspected(bytes)),
            FieldKind.Integer => long.TryParse(constant, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long integer)
                && integer >= (field.Name is TransactionFields.AmountMinor ? 0 : long.MinValue + 1),
            FieldKind.Number => double.TryParse(constant, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number),
            FieldKind.Time => Rfc3339.TryParse(bytes, out _),
            _ => constant is "true" or "false",
        };
    }

    private static string Describe(EventField field) => (field.Kind, field.Format) switch
    {
        (FieldKind.Text, FieldFormat.Currency) => "an ISO 4217 code such as \"EUR\"",
        (FieldKind.Text, FieldFormat.Country) => "an ISO 3166-1 code such as \"DE\"",
        (FieldKind.Text, FieldFormat.MerchantCategory) => "four digits",
        (FieldKind.Text, FieldFormat.Category) => "lower-case letters, digits and _",
        (FieldKind.Text, _) => string.Create(CultureInfo.InvariantCulture, $"1 to {field.LengthMax} bytes that are no card number"),
        (FieldKind.Integer, _) => "a whole number in quotes",
        (FieldKind.Number, _) => "a number in quotes",
        (FieldKind.Time, _) => "an RFC 3339 time",
        _ => "\"true\" or \"false\"",
    };

    // One path may serve two fields; it cannot be a value and an object at once.
    private void CheckPathsApart()
    {
        foreach (var (path, names) in paths)
        {
            var inside = paths.FirstOrDefault(other => other.Names.Count > names.Count && other.Names.Take(names.Count).SequenceEqual(names, StringComparer.Ordinal));
            if (inside.Path is not null)
            {
                Fault($"{path}.path", $"is a value here and an object for {inside.Path}", "map the member that holds the value");
            }
        }
    }

    private void Fault(string path, string problem, string fix) => faults.Add(new DefinitionFault(path, problem, fix));
}
