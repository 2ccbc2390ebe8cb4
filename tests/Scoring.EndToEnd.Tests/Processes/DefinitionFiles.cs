using System.Text.Json.Nodes;
using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Models.Tests;

namespace Scoring.EndToEnd.Tests.Processes;

/// <summary>Definitions that ship, with the topics of one test.</summary>
internal static class DefinitionFiles
{
    /// <summary>The topics that <see cref="Write"/> names, to be made for the test.</summary>
    public static IReadOnlyList<string> TopicNames { get; } = ["transactions", "labels", "scores", "alerts", "dlq", "aggregates", "state"];

    /// <summary>Writes a shipped definition that reads and writes the test's own topics.</summary>
    /// <returns>Its path.</returns>
    public static string Write(TestFolder folder, string shipped, TestTopics topics, Action<JsonNode>? change = null)
    {
        var definition = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Definition(shipped)))!;
        definition["topics"] = new JsonObject
        {
            ["transactions"] = topics["transactions"],
            ["labels"] = topics["labels"],
            ["scores"] = topics["scores"],
            ["alerts"] = topics["alerts"],
            ["dead_letters"] = topics["dlq"],
            ["aggregates"] = topics["aggregates"],
            ["state"] = topics["state"],
        };
        change?.Invoke(definition);
        string path = folder.File(shipped);
        File.WriteAllText(path, definition.ToJsonString());
        return path;
    }
}
