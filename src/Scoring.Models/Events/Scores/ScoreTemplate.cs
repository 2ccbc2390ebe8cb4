using System.Text;
using System.Text.Json;
using Scoring.Models.Decisions;
using Scoring.Models.Definitions;
using Scoring.Models.Features;

namespace Scoring.Models.Events.Scores;

/// <summary>All that scores and alerts of one model and one definition have in common, written once. Immutable: replaced as a whole with the model.</summary>
public sealed class ScoreTemplate
{
    /// <summary>Writes the common parts.</summary>
    /// <param name="definition">The service.</param>
    /// <param name="definitionSha256">Digest of its canonical JSON.</param>
    /// <param name="schema">Schema of its events.</param>
    /// <param name="policy">Its compiled policy with this model's thresholds.</param>
    /// <param name="model">The model; null when there is none.</param>
    public ScoreTemplate(ServiceDefinition definition, string definitionSha256, EventSchema schema, DecisionPolicy policy, ScoreModel? model)
    {
        Service = definition.Service;
        DefinitionSha256 = definitionSha256;
        Policy = policy;
        Model = model;
        ReasonCodes = new(definition, policy);
        Texts = [.. definition.Features.Select(feature => new FeatureText(feature))];
        RuleNames = [.. policy.Rules.Select(rule => Quoted(rule.Name))];
        RuleReasons = [.. policy.Rules.Select(RuleReason)];
        Facts = AlertFact.In(schema);
        Answerer = new Answerer(model, policy.Thresholds, definition.Version, definitionSha256);
        AnswererJson = new AnswererJson(Answerer);
    }

    /// <summary>Name of the service.</summary>
    public string Service { get; }

    /// <summary>Digest of the definition.</summary>
    public string DefinitionSha256 { get; }

    /// <summary>The policy that decides.</summary>
    public DecisionPolicy Policy { get; }

    /// <summary>The model; null when there is none.</summary>
    public ScoreModel? Model { get; }

    /// <summary>Model, thresholds and definition, for those who remember answers.</summary>
    public Answerer Answerer { get; }

    internal ReasonCodes ReasonCodes { get; }

    internal FeatureText[] Texts { get; }

    internal byte[][] RuleNames { get; }

    internal byte[][] RuleReasons { get; }

    internal AlertFact[] Facts { get; }

    internal AnswererJson AnswererJson { get; }

    /// <summary>A name as a JSON string.</summary>
    internal static byte[] Quoted(string text)
    {
        var json = new JsonBytes();
        json.Quoted(Encoding.UTF8.GetBytes(text));
        return json.Written.ToArray();
    }

    private static byte[] RuleReason(CompiledRule rule)
    {
        bool approves = rule.Then == Decision.Approve;
        string then = JsonNamingPolicy.SnakeCaseLower.ConvertName(rule.Then.ToString());
        return
        [
            .. "{\"code\":"u8, .. Quoted(rule.Reason),
            .. ",\"feature\":null,\"direction\":"u8, .. approves ? "\"decreases\""u8 : "\"increases\""u8,
            .. ",\"contribution\":null,\"text\":"u8, .. Quoted($"Rule {rule.Name} asks for {then}"),
            .. ",\"value\":null}"u8,
        ];
    }
}
