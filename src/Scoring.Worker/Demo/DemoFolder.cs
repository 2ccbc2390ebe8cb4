namespace Scoring.Worker.Demo;

/// <summary>The folder of one demo: history, model, keys, logs. Removed at the end unless it is to stay.</summary>
internal sealed class DemoFolder : IDisposable
{
    private readonly bool keep;

    /// <summary>Makes a new folder below the system's temporary one, for this user alone.</summary>
    public DemoFolder(bool keep)
    {
        this.keep = keep;
        Path = Directory.CreateTempSubdirectory("fraudscoring-demo-").FullName;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Simulated transactions, JSON lines.</summary>
    public string Transactions => In("transactions.jsonl");

    /// <summary>Labels known at the end of the history, JSON lines.</summary>
    public string Labels => In("labels.jsonl");

    /// <summary>What the trainer imports them to.</summary>
    public string History => In("history.parquet");

    /// <summary>Key pair of the demo, without ending.</summary>
    public string Keys => In("demo");

    /// <summary>The model package.</summary>
    public string Package => In("model.zip");

    /// <summary>A file of this folder.</summary>
    public string In(string name) => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (keep)
        {
            return;
        }

        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A virus scanner or an editor holds a file: the system cleans its temporary folder by itself.
        }
    }
}
