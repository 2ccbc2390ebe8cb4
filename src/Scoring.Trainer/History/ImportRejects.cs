using System.Text.Json;
using Scoring.Models.Events;

namespace Scoring.Trainer.History;

/// <summary>Rows that were not taken: a line each in a file, the first ones on standard error too. Never the row itself: it may hold what must not be stored.</summary>
internal sealed class ImportRejects(string path, TextWriter messages) : IDisposable
{
    private const int ShownMax = 10;

    private StreamWriter? file;

    /// <summary>Where the lines are, if there are any.</summary>
    public string Path { get; } = path;

    /// <summary>Rows not taken.</summary>
    public long Count { get; private set; }

    /// <summary>A row that breaks a rule.</summary>
    public void Add(string source, long line, Refusal refusal) => Add(source, line, RefusalTexts.Wire(refusal.Code), refusal.Field, RefusalTexts.Hint(refusal));

    /// <summary>A row that cannot be read at all.</summary>
    public void Add(string source, long line, string problem) => Add(source, line, "unreadable_record", "", problem);

    /// <inheritdoc/>
    public void Dispose() => file?.Dispose();

    private void Add(string source, long line, string code, string field, string hint)
    {
        Count++;
        if (Count <= ShownMax)
        {
            messages.WriteLine($"{source}:{line}: {code}: {hint}");
        }
        else if (Count == ShownMax + 1)
        {
            messages.WriteLine($"more in {Path}");
        }

        file ??= new StreamWriter(Path);
        file.WriteLine(JsonSerializer.Serialize(new { source = System.IO.Path.GetFileName(source), line, code, field, hint }));
    }
}
