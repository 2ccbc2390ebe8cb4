using System.Text.Json;

namespace Scoring.Models.Packaging;

/// <summary>How codes of refused packages are written.</summary>
public static class PackageRefusalCodes
{
    /// <summary>The code in <c>snake_case</c>, as it stands in metrics, logs and alerts.</summary>
    public static string Wire(this PackageRefusalCode code) => JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString());
}
