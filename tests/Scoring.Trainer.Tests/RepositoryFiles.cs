using System.Runtime.CompilerServices;

namespace Scoring.Trainer.Tests;

/// <summary>Finds the repository's own files, and the shared data beside it where that is there.</summary>
internal static class RepositoryFiles
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));

    public static string Definition(string name) => Path.Combine(Root, "definitions", name);

    /// <summary>A file of shared data; the test is skipped where it is absent.</summary>
    public static string Shared(string path)
    {
        string full = Path.GetFullPath(Path.Combine(Root, "..", "shared", path));
        if (!File.Exists(full))
        {
            Assert.Skip($"no {Path.Combine("..", "shared", path)} beside the repository");
        }

        return full;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
