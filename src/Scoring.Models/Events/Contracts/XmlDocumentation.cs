using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Scoring.Models.Events.Contracts;

/// <summary>Summaries out of the assembly's documentation file, so that contracts say what the code says.</summary>
internal static partial class XmlDocumentation
{
    private static readonly Lazy<Dictionary<string, string>> Summaries = new(Load);

    /// <summary>The summary of a type or property as one line of plain text; null when it has none.</summary>
    public static string? Summary(MemberInfo member)
    {
        string id = member is Type type ? $"T:{type.FullName}" : $"P:{member.DeclaringType!.FullName}.{member.Name}";
        return Summaries.Value.GetValueOrDefault(id);
    }

    private static Dictionary<string, string> Load()
    {
        string path = Path.Combine(AppContext.BaseDirectory, typeof(XmlDocumentation).Assembly.GetName().Name + ".xml");
        if (!File.Exists(path))
        {
            throw new FileNotFoundException("the documentation file that descriptions come from is missing; build without GenerateDocumentationFile=false", path);
        }

        return XDocument.Load(path).Descendants("member")
            .Where(member => member.Element("summary") is not null)
            .ToDictionary(member => member.Attribute("name")!.Value, member => Plain(member.Element("summary")!), StringComparer.Ordinal);
    }

    private static string Plain(XElement summary)
    {
        foreach (var reference in summary.Descendants("see").ToList())
        {
            string name = reference.Attribute("cref")?.Value ?? reference.Attribute("langword")?.Value ?? "";
            reference.ReplaceWith(JsonName(name[(name.LastIndexOf('.') + 1)..]));
        }

        return WhiteSpace().Replace(summary.Value, " ").Trim();
    }

    private static string JsonName(string name) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    [GeneratedRegex(@"\s+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WhiteSpace();
}
