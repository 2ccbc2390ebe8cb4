using System.Text;
using Scoring.Models.Features;

namespace Scoring.Models.Events.Scores;

/// <summary>What all scores of one <see cref="Answerer"/> have in common, written once. Immutable: lanes share it.</summary>
internal sealed class AnswererJson
{
    public AnswererJson(Answerer answerer)
    {
        Thresholds = answerer.Thresholds is { } thresholds
            ? Encoding.UTF8.GetBytes(FormattableString.Invariant($",\"thresholds\":{{\"review\":{thresholds.Review},\"decline\":{thresholds.Decline}}},\"model\":"))
            : ",\"thresholds\":null,\"model\":"u8.ToArray();
        Model = answerer.Model is { } model
            ? [.. "{\"name\":"u8, .. ScoreTemplate.Quoted(model.Name), .. ",\"version\":"u8, .. ScoreTemplate.Quoted(model.Version), .. ",\"sha256\":"u8, .. ScoreTemplate.Quoted(model.Sha256), .. "}"u8]
            : "null"u8.ToArray();
        Definition =
        [
            .. Encoding.UTF8.GetBytes(FormattableString.Invariant($",\"definition\":{{\"version\":{answerer.DefinitionVersion},\"sha256\":")),
            .. ScoreTemplate.Quoted(answerer.DefinitionSha256),
            .. "}"u8,
        ];
    }

    /// <summary>From the comma before the thresholds to the colon behind <c>model</c>.</summary>
    public byte[] Thresholds { get; }

    /// <summary>Value of <c>model</c>.</summary>
    public byte[] Model { get; }

    /// <summary>From the comma before the definition to its closing brace.</summary>
    public byte[] Definition { get; }
}
