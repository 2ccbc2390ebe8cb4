using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Scoring.Models.Packaging;

/// <summary>How the JSON files of a package are written and read: snake_case, every member known, none twice, NaN by name.</summary>
public static class PackageJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 16,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>The bytes of a file: the same for the same value, everywhere.</summary>
    public static byte[] Write<T>(T value)
        where T : class => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    /// <summary>Reads a file.</summary>
    /// <param name="utf8Json">Its bytes.</param>
    /// <param name="problem">What is wrong with it; empty when the result is not null.</param>
    public static T? Read<T>(ReadOnlySpan<byte> utf8Json, out string problem)
        where T : class
    {
        try
        {
            var value = JsonSerializer.Deserialize<T>(utf8Json, Options);
            problem = value is null ? "it is null" : "";
            return value;
        }
        catch (JsonException e)
        {
            problem = e.Message;
            return null;
        }
    }
}
