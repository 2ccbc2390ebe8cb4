using System.Reflection;

namespace Scoring.Worker.Operations;

/// <summary>Which build this is.</summary>
internal static class Build
{
    private static readonly string[] Parts =
        (typeof(Build).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+');

    /// <summary>Version, such as 0.1.0.</summary>
    public static string Version => Parts[0];

    /// <summary>Commit it was built from, or <c>unknown</c>.</summary>
    public static string Commit => Parts.Length > 1 ? Parts[1] : "unknown";
}
