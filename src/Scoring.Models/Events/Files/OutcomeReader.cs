using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events.Json;

namespace Scoring.Models.Events.Files;

/// <summary>Reads the outcome out of a recorded event whose row carries it (<see cref="LabelMapping.Path"/>). Apart from the decoder, so that no feature can see it.</summary>
public sealed class OutcomeReader
{
    private readonly byte[][] fraudValues;
    private readonly MemberWalk walk;
    private sbyte outcome;

    /// <summary>Prepares for a definition's histories.</summary>
    /// <exception cref="ArgumentException">The mapping has no path.</exception>
    public OutcomeReader(LabelMapping labels)
    {
        string path = labels.Path ?? throw new ArgumentException("the definition names no labels.path", nameof(labels));
        fraudValues = [.. labels.FraudValues.Select(Encoding.UTF8.GetBytes)];
        walk = new MemberWalk(new MemberTrie([(MemberPath.Split(path) ?? throw new ArgumentException($"{path} is no path", nameof(labels)), path, 0, true)]));
    }

    /// <summary>Reads one event's outcome.</summary>
    /// <param name="json">An event that the decoder took.</param>
    /// <returns>1 fraud, 0 honest, -1 where the event does not say.</returns>
    public sbyte Read(ReadOnlySpan<byte> json)
    {
        outcome = -1;
        walk.Run(json, 0, new Sink(this));
        return outcome;
    }

    private RefusalCode Take(scoped in JsonValue value)
    {
        var text = value.Kind switch { JsonKind.True => "true"u8, JsonKind.False => "false"u8, _ => value.Text };
        if (value.Kind is JsonKind.Null or JsonKind.Object or JsonKind.Array || text.IsEmpty)
        {
            return RefusalCode.None;
        }

        outcome = 0;
        foreach (byte[] fraudValue in fraudValues)
        {
            outcome = text.SequenceEqual(fraudValue) ? (sbyte)1 : outcome;
        }

        return RefusalCode.None;
    }

    private readonly struct Sink(OutcomeReader reader) : IMemberSink
    {
        public RefusalCode Take(int target, scoped in JsonValue value) => reader.Take(value);
    }
}
