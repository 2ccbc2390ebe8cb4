using System.Text.Json.Nodes;

namespace Scoring.Worker.Demo;

/// <summary>The folder of one demo: definition, payments, labels, scores, models, keys, logs. Removed at the end unless it is to stay.</summary>
internal sealed class DemoFolder : IDisposable
{
    private static readonly string Template = System.IO.Path.Combine(AppContext.BaseDirectory, "definitions", "card-payments.json");

    private readonly bool keep;

    /// <summary>Makes a new folder below the system's temporary one, for this user alone, with the demo's definition in it.</summary>
    /// <remarks>
    /// It is <c>card-payments.json</c> with one change: a label counts after <see cref="DemoSchedule.LabelDelayDays"/> days instead of seven,
    /// because a newcomer does not wait for chargebacks.
    /// </remarks>
    public DemoFolder(bool keep)
    {
        this.keep = keep;
        Path = Directory.CreateTempSubdirectory("fraudscoring-demo-").FullName;
        var definition = JsonNode.Parse(File.ReadAllText(Template))!.AsObject();
        definition.Remove("$schema");
        definition["labels"] = new JsonObject { ["delay"] = FormattableString.Invariant($"{DemoSchedule.LabelDelayDays}d") };
        File.WriteAllText(Definition, definition.ToJsonString(new() { WriteIndented = true }));
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>The service.</summary>
    public string Definition => In("definition.json");

    /// <summary>Every payment sent, JSON lines.</summary>
    public string Transactions => In("transactions.jsonl");

    /// <summary>Every label sent, JSON lines.</summary>
    public string Labels => In("labels.jsonl");

    /// <summary>The scores of live payments as they were read from the topic, JSON lines. Written only where the folder is kept.</summary>
    public string? Scores => keep ? In("scores.jsonl") : null;

    /// <summary>Which live payments were fraud, CSV. Written only where the folder is kept.</summary>
    public string? Truth => keep ? In("truth.csv") : null;

    /// <summary>What the trainer keeps.</summary>
    public string Trainer => In("trainer");

    /// <summary>Key pair of the demo, without ending.</summary>
    public string Keys => In("demo");

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
