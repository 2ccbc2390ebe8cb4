using System.Globalization;

namespace Scoring.Models.Tests.Ensembles;

/// <summary>Models of other libraries with what they answer: <c>../shared/data/onnx</c> beside the repository.</summary>
internal static class ForeignModels
{
    internal static string? Folder { get; } = FindFolder();

    internal static string RequireFolder()
    {
        if (Folder is null)
            Assert.Skip("../shared/data/onnx is not beside the repository");
        return Folder;
    }

    internal static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(RequireFolder(), name));

    /// <summary>Rows of NAME.input.csv and the columns of NAME.expected.csv that ONNX Runtime answered.</summary>
    internal static (float[][] Rows, Dictionary<string, double[]> Expected) ReadRows(string model)
    {
        string[] inputs = File.ReadAllLines(Path.Combine(RequireFolder(), model + ".input.csv"));
        string[] answers = File.ReadAllLines(Path.Combine(RequireFolder(), model + ".expected.csv"));
        float[][] rows = [.. inputs.Skip(1).Select(line => line.Split(',').Select(cell => float.Parse(cell, CultureInfo.InvariantCulture)).ToArray())];
        string[] names = answers[0].Split(',');
        double[][] values = [.. answers.Skip(1).Select(line => line.Split(',').Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray())];
        Assert.Equal(rows.Length, values.Length);
        var expected = names.Select((name, column) => (name, column))
            .Where(pair => pair.name.StartsWith("ort_", StringComparison.Ordinal))
            .ToDictionary(pair => pair.name, pair => Array.ConvertAll(values, row => row[pair.column]), StringComparer.Ordinal);
        return (rows, expected);
    }

    private static string? FindFolder()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (!File.Exists(Path.Combine(at.FullName, "FraudScoring.sln")))
                continue;
            string folder = Path.GetFullPath(Path.Combine(at.FullName, "../shared/data/onnx"));
            return Directory.Exists(folder) ? folder : null;
        }

        return null;
    }
}
