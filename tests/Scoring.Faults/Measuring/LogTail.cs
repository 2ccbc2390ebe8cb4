namespace Scoring.Faults.Measuring;

/// <summary>What workers print from now on.</summary>
/// <param name="folder">Of their files.</param>
internal sealed class LogTail(string folder)
{
    private readonly Dictionary<string, long> lengths = Files(folder).ToDictionary(file => file.FullName, file => file.Length, StringComparer.Ordinal);

    /// <summary>Lines that hold a text.</summary>
    public async Task<IReadOnlyList<string>> LinesAsync(string text, CancellationToken stopping)
    {
        var found = new List<string>();
        foreach (var file in Files(folder))
        {
            await using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            stream.Position = lengths.GetValueOrDefault(file.FullName);
            using var reader = new StreamReader(stream);
            while (await reader.ReadLineAsync(stopping) is { } line)
            {
                if (line.Contains(text, StringComparison.Ordinal))
                {
                    found.Add(line);
                }
            }
        }

        return found;
    }

    private static FileInfo[] Files(string folder) => new DirectoryInfo(folder).GetFiles("*.log");
}
