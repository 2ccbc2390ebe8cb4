using System.Globalization;
using Scoring.Models.Events;

namespace Scoring.Models.Definitions;

/// <summary>What the parts of a definition say about each other: names, references, ranges. Mappings and features have files of their own.</summary>
internal sealed class DefinitionChecks(ServiceDefinition definition, List<DefinitionFault> faults)
{
    private static readonly string[] Decisions = ["approve", "review", "decline"];

    public void Run()
    {
        CheckService();
        new MappingChecks(definition, faults).Run();
        var fields = EventSchema.FieldsOf(definition).DistinctBy(field => field.Name, StringComparer.Ordinal).ToDictionary(field => field.Name, StringComparer.Ordinal);
        CheckEntities(fields);
        new FeatureChecks(definition, fields, faults).Run();
        CheckRules();
        CheckPolicy();
        CheckTopics();
        if (faults.Count == 0)
        {
            // Predicates name fields and features: on a file whose names are wrong their faults would only repeat others.
            faults.AddRange(PredicateChecks.Run(definition));
        }
    }

    internal static bool IsName(string name, int lengthMax, Func<char, bool> allowed) =>
        name.Length > 0 && name.Length <= lengthMax && name.All(allowed);

    internal static bool IsIdentifier(string name) =>
        IsName(name, 64, c => char.IsAsciiLetterOrDigit(c) || c == '_') && !char.IsAsciiDigit(name[0]);

    private void CheckService()
    {
        if (definition.Service.Length > 0 && !IsName(definition.Service, 40, c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            Fault("$.service", $"\"{definition.Service}\" is no service name", "use 1 to 40 of a-z, 0-9 and -");
        }

        if (!IsName(definition.Model.Channel, 40, c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_'))
        {
            Fault("$.model.channel", $"\"{definition.Model.Channel}\" is no channel name", "use 1 to 40 of a-z, 0-9, - and _");
        }

        if (definition.Labels.Path is { } path && MemberPath.Split(path) is null)
        {
            Fault("$.labels.path", $"\"{path}\" is no path", $"write 1 to {MemberPath.DepthMax} member names separated by dots");
        }

        if (definition.Labels.FraudValues.Count == 0)
        {
            Fault("$.labels.fraud_values", "is empty", "name the values that mean fraud, e.g. [1, true]");
        }
    }

    private void CheckEntities(Dictionary<string, EventField> fields)
    {
        var texts = fields.Values.Where(field => field.Kind == FieldKind.Text).Select(field => field.Name).ToList();
        foreach (var (name, entity) in definition.Entities)
        {
            string path = $"$.entities.{name}";
            if (!IsIdentifier(name))
            {
                Fault(path, $"\"{name}\" is no entity name", "use 1 to 64 of letters, digits and _, not starting with a digit");
            }

            if (entity.Key.Count > 4 || (entity.Key.Count == 0 && !faults.Exists(fault => fault.Path.StartsWith($"{path}.key", StringComparison.Ordinal))))
            {
                Fault($"{path}.key", $"has {entity.Key.Count.ToString(CultureInfo.InvariantCulture)} fields", "name 1 to 4 fields, e.g. [\"account_id\"]");
            }

            for (int i = 0; i < entity.Key.Count; i++)
            {
                string keyPath = string.Create(CultureInfo.InvariantCulture, $"{path}.key[{i}]");
                string field = entity.Key[i];
                if (!fields.TryGetValue(field, out var found))
                {
                    Fault(keyPath, $"\"{field}\" is no mapped field", NearestName.Fix(field, texts));
                }
                else if (found.Kind != FieldKind.Text)
                {
                    Fault(keyPath, $"\"{field}\" is no text", $"keys are made of text fields: {string.Join(", ", texts)}");
                }
                else if (entity.Key.Take(i).Contains(field, StringComparer.Ordinal))
                {
                    Fault(keyPath, $"\"{field}\" stands twice in the key", "name each field once");
                }
            }

            if (!int.IsPow2(entity.EventsMax))
            {
                Fault($"{path}.events_max", string.Create(CultureInfo.InvariantCulture, $"{entity.EventsMax} is no power of two"), "use 8, 16, 32, 64, ... 8192");
            }

            if (entity.Shared is { } shared && (shared.Pane < TimeSpan.FromSeconds(1) || shared.Pane.Ticks % TimeSpan.TicksPerSecond != 0))
            {
                Fault($"{path}.shared.pane", $"{DurationText.Format(shared.Pane)} is no whole number of seconds", "use 1s or more");
            }
        }
    }

    private void CheckRules()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < definition.Rules.Count; i++)
        {
            var rule = definition.Rules[i];
            string path = string.Create(CultureInfo.InvariantCulture, $"$.rules[{i}]");
            if (rule.Name.Length > 0 && !IsIdentifier(rule.Name))
            {
                Fault($"{path}.name", $"\"{rule.Name}\" is no rule name", "use 1 to 64 of letters, digits and _, not starting with a digit");
            }

            if (rule.Name.Length > 0 && !names.Add(rule.Name))
            {
                Fault($"{path}.name", $"a second rule is named \"{rule.Name}\"", "give each rule a name of its own");
            }

            if (rule.Then.Length > 0)
            {
                CheckDecision($"{path}.then", rule.Then);
            }
        }

        if (definition.Rules.Count > 64)
        {
            Fault("$.rules", string.Create(CultureInfo.InvariantCulture, $"holds {definition.Rules.Count} rules"), "keep at most 64: join some with ||");
        }
    }

    private void CheckPolicy()
    {
        CheckProbability("$.policy.review", definition.Policy.Review);
        CheckProbability("$.policy.decline", definition.Policy.Decline);
        if (definition.Policy is { Review: { } review, Decline: { } decline } && review > decline)
        {
            Fault("$.policy.decline", string.Create(CultureInfo.InvariantCulture, $"{decline} is below review, {review}"), "decline from a score at least as high as review");
        }

        CheckDecision("$.policy.without_model", definition.Policy.WithoutModel);
    }

    private void CheckTopics()
    {
        var topics = definition.Topics;
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (member, name) in new[]
        {
            ("transactions", topics.Transactions),
            ("labels", topics.Labels),
            ("scores", topics.Scores),
            ("alerts", topics.Alerts),
            ("dead_letters", topics.DeadLetters ?? topics.Transactions + ".dlq"),
            ("aggregates", topics.Aggregates ?? $"fraud.{definition.Service}.aggregates"),
            ("state", topics.State ?? $"fraud.{definition.Service}.state"),
            ("models", topics.Models),
        })
        {
            bool isGiven = member is not ("aggregates" or "state") || (member is "state" ? topics.State : topics.Aggregates) is not null; // a bad service name has its own fault
            if (isGiven && (name is "." or ".." || !IsName(name, 249, c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')))
            {
                Fault($"$.topics.{member}", $"\"{name}\" is no topic name of Kafka", "use 1 to 249 of letters, digits, ., _ and -");
            }
            else if (!taken.TryAdd(name, member))
            {
                Fault($"$.topics.{member}", $"\"{name}\" is the topic of {taken[name]} too", "give each a topic of its own");
            }
        }
    }

    private void CheckProbability(string path, double? value)
    {
        if (value is not (null or >= 0 and <= 1))
        {
            Fault(path, string.Create(CultureInfo.InvariantCulture, $"{value} is no probability"), "use 0 to 1");
        }
    }

    private void CheckDecision(string path, string decision)
    {
        if (!Decisions.Contains(decision, StringComparer.Ordinal))
        {
            Fault(path, $"\"{decision}\" is no decision", NearestName.Fix(decision, Decisions));
        }
    }

    private void Fault(string path, string problem, string fix) => faults.Add(new DefinitionFault(path, problem, fix));
}
