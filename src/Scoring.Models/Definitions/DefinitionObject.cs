using System.Globalization;
using System.Text.Json;

namespace Scoring.Models.Definitions;

/// <summary>One JSON object of a definition file while it is read: hands out its members by name and type, and reports what is wrong, missing, repeated or unknown.</summary>
/// <remarks>A member that is null counts as absent. A member that is wrong yields null or the default, so that reading goes on and finds the rest.</remarks>
internal sealed class DefinitionObject
{
    private readonly Dictionary<string, JsonElement> members = new(StringComparer.Ordinal);
    private readonly List<string> asked = [];
    private readonly List<DefinitionFault> faults;

    public DefinitionObject(JsonElement element, string path, List<DefinitionFault> faults)
    {
        Path = path;
        this.faults = faults;
        if (element.ValueKind != JsonValueKind.Object)
        {
            Fault(path, $"is {Describe(element)}, not an object", "write { ... }");
            return;
        }

        foreach (var member in element.EnumerateObject())
        {
            if (!members.TryAdd(member.Name, member.Value))
            {
                Fault(At(member.Name), "stands twice in one object", "keep one of the two");
            }
        }
    }

    public string Path { get; }

    public IEnumerable<string> Names => members.Keys;

    /// <summary>The path of a member of this object.</summary>
    public string At(string name) =>
        name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '$') ? $"{Path}.{name}" : $"{Path}['{name}']";

    public void Fault(string path, string problem, string fix) => faults.Add(new DefinitionFault(path, problem, fix));

    public string? Text(string name, bool required = false)
    {
        if (Get(name, required) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            Wrong(name, value, "a text", "put it in quotes");
            return null;
        }

        string text = value.GetString()!;
        if (text.Length == 0)
        {
            Fault(At(name), "is empty", "write a value or remove the member");
            return null;
        }

        return text;
    }

    public bool Flag(string name, bool otherwise)
    {
        switch (Get(name)?.ValueKind)
        {
            case null:
                return otherwise;
            case JsonValueKind.True:
                return true;
            case JsonValueKind.False:
                return false;
            default:
                Wrong(name, members[name], "a boolean", "write true or false");
                return otherwise;
        }
    }

    public double? Number(string name)
    {
        if (Get(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number))
        {
            return number;
        }

        Wrong(name, value, "a finite number", "write it without quotes");
        return null;
    }

    public int Integer(string name, int otherwise, int min, int max)
    {
        if (Get(name) is not { } value)
        {
            return otherwise;
        }

        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out long number))
        {
            Wrong(name, value, "an integer", "write a whole number without quotes");
            return otherwise;
        }

        if (number < min || number > max)
        {
            Fault(At(name), string.Create(CultureInfo.InvariantCulture, $"is {number}"), string.Create(CultureInfo.InvariantCulture, $"use {min} to {max}"));
            return otherwise;
        }

        return (int)number;
    }

    public TimeSpan? Duration(string name, bool zeroAllowed = false)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (!DurationText.TryParse(text, out var duration))
        {
            Fault(At(name), $"\"{text}\" is no duration", DurationText.Forms);
            return null;
        }

        if (duration == TimeSpan.Zero && !zeroAllowed)
        {
            Fault(At(name), "is zero", "give a duration above zero");
            return null;
        }

        return duration;
    }

    public DateTimeOffset? Time(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (!Events.Values.Rfc3339.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out long timeMs))
        {
            Fault(At(name), $"\"{text}\" is no RFC 3339 time", "write a time such as \"2018-04-01T00:00:00Z\"");
            return null;
        }

        return DateTimeOffset.FromUnixTimeMilliseconds(timeMs);
    }

    public IReadOnlyList<string>? Texts(string name)
    {
        var items = Items(name);
        if (items is null)
        {
            return null;
        }

        var texts = new List<string>();
        foreach (var (value, path) in items)
        {
            if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text)
            {
                texts.Add(text);
            }
            else
            {
                Fault(path, $"is {Describe(value)}, not a text", "put it in quotes");
            }
        }

        return texts;
    }

    public DefinitionObject? Object(string name, bool required = false) =>
        Get(name, required) is { } value ? new DefinitionObject(value, At(name), faults) : null;

    /// <summary>An object whose members are named by the author, each an object itself.</summary>
    public IEnumerable<(string Name, DefinitionObject Value)> Map(string name)
    {
        if (Object(name) is not { } map)
        {
            yield break;
        }

        foreach (var (key, value) in map.members)
        {
            yield return (key, new DefinitionObject(value, map.At(key), faults));
        }
    }

    public IEnumerable<DefinitionObject> Objects(string name) =>
        Items(name)?.Select(item => new DefinitionObject(item.Value, item.Path, faults)) ?? [];

    public IReadOnlyList<(JsonElement Value, string Path)>? Items(string name)
    {
        if (Get(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            Wrong(name, value, "a list", "write [ ... ]");
            return null;
        }

        return [.. value.EnumerateArray().Select((item, index) => (item, string.Create(CultureInfo.InvariantCulture, $"{At(name)}[{index}]")))];
    }

    /// <summary>Reports every member that nobody asked for.</summary>
    public void Close()
    {
        foreach (string name in members.Keys.Where(name => !asked.Contains(name, StringComparer.Ordinal)))
        {
            Fault(At(name), "is not a member of this object", NearestName.Fix(name, asked));
        }
    }

    public static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };

    private JsonElement? Get(string name, bool required = false)
    {
        asked.Add(name);
        if (members.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null)
        {
            return value;
        }

        if (required)
        {
            Fault(At(name), "is missing", "add it");
        }

        return null;
    }

    private void Wrong(string name, JsonElement value, string expected, string fix) =>
        Fault(At(name), $"is {Describe(value)}, not {expected}", fix);
}
