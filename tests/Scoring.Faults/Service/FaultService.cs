using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Scoring.Faults.Service;

/// <summary>A service with topics of its own: accounts, merchants that every partition sees, labels, a rule that alerts.</summary>
internal sealed class FaultService
{
    /// <summary>Partitions of every topic: one for each lane of two workers.</summary>
    public const int PartitionCount = 4;

    private int eventsMax = 64;

    /// <summary>Makes its folder and its definition; the topics are not there yet.</summary>
    /// <param name="name">No other run's.</param>
    public FaultService(string name)
    {
        Name = name;
        Folder = Directory.CreateTempSubdirectory("fraudscoring-faults-").FullName;
        DefinitionPath = Path.Combine(Folder, "definition.json");
        Write();
    }

    /// <summary>Begins every topic's name.</summary>
    public string Name { get; }

    /// <summary>Holds the definition and what the processes print.</summary>
    public string Folder { get; }

    /// <summary>The definition.</summary>
    public string DefinitionPath { get; }

    /// <summary>Consumer group of the workers.</summary>
    public string Group => $"fraud.{Name}";

    /// <summary>Its models; null where rules alone decide.</summary>
    public ModelPackages? Models { get; set; }

    /// <summary>The full name of a topic, e.g. of <c>scores</c>.</summary>
    public string Topic(string name) => $"{Name}.{name}";

    /// <summary>Changes how many events an account keeps, to and fro: state written under the other definition is of no use.</summary>
    public void ChangeDefinition()
    {
        eventsMax = eventsMax == 64 ? 128 : 64;
        Write();
    }

    private void Write() => File.WriteAllText(DefinitionPath, string.Create(CultureInfo.InvariantCulture, $$"""
        {
          "service": {{Quoted(Name)}},
          "events": { "attributes": { "note": { "path": "note", "type": "text" } } },
          "labels": { "delay": "2m", "path": "is_fraud" },
          "duplicates": { "window": "1h" },
          "entities": {
            "account": { "key": ["account_id"], "events_max": {{eventsMax}} },
            "merchant": { "key": ["merchant_id"], "shared": { "pane": "1m", "settle": "5m" } }
          },
          "features": [
            { "name": "amount_now", "aggregate": "value", "of": "amount" },
            { "name": "account_count_5m", "entity": "account", "aggregate": "count", "window": "5m" },
            { "name": "account_mean_15m", "entity": "account", "aggregate": "mean", "of": "amount", "window": "15m" },
            { "name": "account_gap", "entity": "account", "aggregate": "time_since_last" },
            { "name": "account_rate_1h", "entity": "account", "aggregate": "label_rate", "window": "1h" },
            { "name": "merchant_count_10m", "entity": "merchant", "aggregate": "count", "window": "10m" },
            { "name": "merchant_mean_30m", "entity": "merchant", "aggregate": "mean", "of": "amount", "window": "30m" },
            { "name": "merchant_rate_1h", "entity": "merchant", "aggregate": "label_rate", "window": "1h" }
          ],
          "rules": [{ "name": "large", "when": "amount_minor > 80000", "then": "review" }],
          "topics": {
            "transactions": {{Named("transactions")}}, "labels": {{Named("labels")}}, "scores": {{Named("scores")}}, "alerts": {{Named("alerts")}},
            "dead_letters": {{Named("dlq")}}, "aggregates": {{Named("aggregates")}}, "state": {{Named("state")}}, "models": {{Named("models")}}
          }
        }
        """));

    private string Named(string topic) => Quoted(Topic(topic));

    private static string Quoted(string text) => JsonValue.Create(text).ToJsonString(JsonSerializerOptions.Default);
}
