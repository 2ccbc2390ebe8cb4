using System.Text;

namespace Scoring.Models.Events;

/// <summary>What the headers of one record say about its value. Reused from record to record; keeps no bytes of them.</summary>
/// <remarks>CloudEvents 1.0, Kafka protocol binding: <c>content-type</c> tells structured from binary mode; in binary mode attributes are <c>ce_</c> headers.</remarks>
public sealed class EventHeaders
{
    private Marks present;
    private Marks bad;

    [Flags]
    private enum Marks
    {
        None = 0,
        SpecVersion = 1,
        Id = 2,
        Source = 4,
        Type = 8,
        OtherAttribute = 16,
        Batch = 32,
        Structured = 64,
        OtherEncoding = 128,
        SchemaId = 256,
        Required = SpecVersion | Id | Source | Type,
        Attributes = Required | OtherAttribute,
    }

    /// <summary>Whether the value is a CloudEvents envelope.</summary>
    public bool IsStructured => (present & Marks.Structured) != Marks.None;

    /// <summary>Forgets the last record's headers.</summary>
    public void Clear() => (present, bad) = (Marks.None, Marks.None);

    /// <summary>Takes one header, in any order. Headers that mean nothing here are passed over.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its bytes; empty for a header without value.</param>
    public void Add(string name, ReadOnlySpan<byte> value)
    {
        if (name.StartsWith("ce_", StringComparison.Ordinal))
        {
            var mark = name switch
            {
                "ce_specversion" => Marks.SpecVersion,
                "ce_id" => Marks.Id,
                "ce_source" => Marks.Source,
                "ce_type" => Marks.Type,
                _ => Marks.OtherAttribute,
            };
            bool isGood = mark switch
            {
                Marks.SpecVersion => value.SequenceEqual("1.0"u8),
                Marks.OtherAttribute => true,
                _ => !value.IsEmpty && System.Text.Unicode.Utf8.IsValid(value),
            };
            bool isRepeated = mark != Marks.OtherAttribute && (present & mark) != Marks.None;
            bad |= isGood && !isRepeated ? Marks.None : mark;
            present |= mark;
        }
        else if (name.Equals("content-type", StringComparison.OrdinalIgnoreCase))
        {
            present |= ContentType(value);
        }
        else if (name is "__value_schema_id")
        {
            present |= Marks.SchemaId;
        }
    }

    /// <summary>The first rule that the headers break.</summary>
    internal Refusal Check()
    {
        if ((present & Marks.Batch) != Marks.None)
        {
            return new Refusal(RefusalCode.BadCloudEvent, "content-type", 0);
        }

        if ((present & Marks.OtherEncoding) != Marks.None)
        {
            return new Refusal(RefusalCode.UnsupportedEncoding, "content-type", 0);
        }

        if (!IsStructured && (present & Marks.Attributes) != Marks.None)
        {
            var wrong = bad | (Marks.Required & ~present);
            if (wrong != Marks.None)
            {
                return new Refusal(RefusalCode.BadCloudEvent, NameOf(wrong), 0);
            }
        }

        return Refusal.None;
    }

    private static string NameOf(Marks marks) =>
        (marks & Marks.SpecVersion) != Marks.None ? "ce_specversion"
        : (marks & Marks.Id) != Marks.None ? "ce_id"
        : (marks & Marks.Source) != Marks.None ? "ce_source"
        : "ce_type";

    // application/json, any text or application type that ends in +json or /json; parameters do not matter.
    private static Marks ContentType(ReadOnlySpan<byte> value)
    {
        int end = value.IndexOf((byte)';');
        var type = (end < 0 ? value : value[..end]).Trim((byte)' ');
        if (StartsWith(type, "application/cloudevents-batch"u8))
        {
            return Marks.Batch;
        }

        bool isJson = EndsWith(type, "+json"u8) || EndsWith(type, "/json"u8);
        if (StartsWith(type, "application/cloudevents"u8))
        {
            return isJson || type.Length == "application/cloudevents"u8.Length ? Marks.Structured : Marks.OtherEncoding;
        }

        // Producers that say "bytes" or "text" say nothing: the value itself decides.
        bool saysNothing = type.IsEmpty || Ascii.EqualsIgnoreCase(type, "application/octet-stream"u8) || StartsWith(type, "text/"u8);
        return isJson || saysNothing ? Marks.None : Marks.OtherEncoding;
    }

    private static bool StartsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> start) =>
        text.Length >= start.Length && Ascii.EqualsIgnoreCase(text[..start.Length], start);

    private static bool EndsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> end) =>
        text.Length >= end.Length && Ascii.EqualsIgnoreCase(text[^end.Length..], end);
}
