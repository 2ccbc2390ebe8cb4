using System.Security.Cryptography;
using System.Text.Json;

namespace Scoring.Models.Definitions;

/// <summary>Reads definition files: strictly, and with everything that is wrong at once.</summary>
/// <remarks>
/// 1. The JSON itself. 2. Members by name and type (<see cref="DefinitionObject"/>); unknown and repeated ones are faults.
/// 3. What the parts say about each other (<see cref="DefinitionChecks"/>). Step 3 runs on what step 2 could read.
/// </remarks>
public static class ServiceDefinitionReader
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 32 };

    /// <summary>Reads and checks a definition.</summary>
    /// <param name="json">The file's UTF-8 bytes.</param>
    public static DefinitionReading Read(ReadOnlySpan<byte> json)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json.ToArray(), Strict);
        }
        catch (JsonException exception)
        {
            string place = $"line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}";
            return new DefinitionReading(null, [new DefinitionFault("$", $"is not JSON ({place})", "correct the text there; comments and trailing commas are not taken")]);
        }

        using (document)
        {
            var faults = new List<DefinitionFault>();
            var definition = new DefinitionParts(faults).Read(document.RootElement);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                new DefinitionChecks(definition, faults).Run();
            }

            return faults.Count > 0
                ? new DefinitionReading(null, faults)
                : new DefinitionReading(definition with { Digest = Digest(document.RootElement) }, []);
        }
    }

    /// <summary>Reads and checks a definition file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static DefinitionReading ReadFile(string path) => Read(File.ReadAllBytes(path));

    private static string Digest(JsonElement root)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            WriteCanonical(writer, root);
        }

        return Convert.ToHexStringLower(SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
    }

    // Of the document, not of the records: a later version's new defaults must not rename an old file.
    private static void WriteCanonical(Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in element.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    WriteCanonical(writer, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                {
                    WriteCanonical(writer, item);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.Number when element.TryGetInt64(out long integer):
                writer.WriteNumberValue(integer);
                break;
            case JsonValueKind.Number:
                writer.WriteNumberValue(element.GetDouble());
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }
}
