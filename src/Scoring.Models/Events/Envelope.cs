using Scoring.Models.Events.Json;

namespace Scoring.Models.Events;

/// <summary>CloudEvents 1.0 structured mode: the event is the member <c>data</c> of an envelope, read in the same pass.</summary>
internal sealed class Envelope
{
    private static readonly string[] Attributes = ["specversion", "id", "source", "type", "datacontenttype", "data_base64"];
    private const int RequiredCount = 4;

    private readonly bool[] present = new bool[Attributes.Length];
    private readonly int fieldCount;
    private readonly int dataNode;

    /// <summary>Compiles the envelope around the paths of an event.</summary>
    /// <param name="members">The paths inside <c>data</c>, as for <see cref="MemberTrie"/>.</param>
    /// <param name="targetCount">Their targets are below this.</param>
    public Envelope(IEnumerable<(IReadOnlyList<string> Names, string Display, int Target, bool IsToken)> members, int targetCount)
    {
        fieldCount = targetCount;
        var trie = new MemberTrie(
        [
            .. members.Select(member => ((IReadOnlyList<string>)["data", .. member.Names], member.Display, member.Target, member.IsToken)),
            .. Attributes.Select((name, index) => ((IReadOnlyList<string>)[name], name, fieldCount + index, true)),
        ]);
        dataNode = trie.Find(MemberTrie.Root, "data"u8);
        Walk = new MemberWalk(trie);
    }

    public MemberWalk Walk { get; }

    /// <summary>Walks the envelope and the event in it.</summary>
    public Refusal Run<TSink>(ReadOnlySpan<byte> value, int start, TSink sink)
        where TSink : struct, IMemberSink
    {
        Array.Clear(present);
        var refusal = Walk.Run(value, start, new EnvelopeSink<TSink>(this, sink));
        if (!refusal.IsNone)
        {
            return refusal;
        }

        for (int i = 0; i < RequiredCount; i++)
        {
            if (!present[i])
            {
                return new Refusal(RefusalCode.BadCloudEvent, Attributes[i], 0);
            }
        }

        return Walk.HasSeen(dataNode) ? Refusal.None : new Refusal(RefusalCode.BadCloudEvent, "data", 0);
    }

    private RefusalCode TakeAttribute(int index, scoped in JsonValue value)
    {
        if (value.Kind == JsonKind.Null)
        {
            return RefusalCode.None;
        }

        present[index] = true;
        bool isGood = value.Kind == JsonKind.String && index switch
        {
            0 => value.Text.SequenceEqual("1.0"u8),
            4 => value.Text.IndexOf("json"u8) >= 0,
            5 => false,
            _ => !value.Text.IsEmpty,
        };
        return isGood ? RefusalCode.None : RefusalCode.BadCloudEvent;
    }

    private readonly struct EnvelopeSink<TSink>(Envelope envelope, TSink sink) : IMemberSink
        where TSink : struct, IMemberSink
    {
        public RefusalCode Take(int target, scoped in JsonValue value) =>
            target < envelope.fieldCount ? sink.Take(target, value) : envelope.TakeAttribute(target - envelope.fieldCount, value);
    }
}
