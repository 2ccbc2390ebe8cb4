using Scoring.Models.Decisions;
using Scoring.Models.Definitions;

namespace Scoring.Models.Events.Scores;

/// <summary>How a feature is told of: its name, its code and its sentence, as parts of JSON.</summary>
internal sealed class FeatureText
{
    private readonly byte[][] sentence;

    public FeatureText(FeatureDefinition feature)
    {
        Name = ScoreTemplate.Quoted(feature.Name);
        Code = ScoreTemplate.Quoted(ReasonCodes.CodeOf(feature));
        sentence = [.. (feature.Text ?? $"{feature.Name} is {{value}}").Split("{value}").Select(part => ScoreTemplate.Quoted(part)[1..^1])];
    }

    /// <summary>Its name as a JSON string.</summary>
    public byte[] Name { get; }

    /// <summary>Its reason code as a JSON string.</summary>
    public byte[] Code { get; }

    /// <summary>Appends its sentence for a value as a JSON string.</summary>
    public void AppendSentence(JsonBytes json, float value)
    {
        json.Raw("\""u8);
        json.Raw(sentence[0]);
        for (int i = 1; i < sentence.Length; i++)
        {
            json.Readable(value);
            json.Raw(sentence[i]);
        }

        json.Raw("\""u8);
    }
}
