namespace Scoring.Models.Events;

/// <summary>Refusals in words: the code on the wire and a sentence with the fix.</summary>
public static class RefusalTexts
{
    private static readonly Dictionary<RefusalCode, (string Wire, string Problem, string Fix)> Texts = new()
    {
        [RefusalCode.None] = ("none", "is good", "nothing is to be done"),
        [RefusalCode.Tombstone] = ("tombstone", "has no value", "send events, not tombstones, to a topic that is not compacted"),
        [RefusalCode.Empty] = ("empty", "has no bytes", "send a JSON object"),
        [RefusalCode.TooLarge] = ("too_large", "is larger than the limit", "send only the fields that the mapping needs"),
        [RefusalCode.MalformedJson] = ("malformed_json", "is not JSON", "send one complete JSON object (RFC 8259; no NaN, no comments, nothing behind it)"),
        [RefusalCode.InvalidUtf8] = ("invalid_utf8", "is not UTF-8", "encode texts as UTF-8 and surrogate escapes in pairs"),
        [RefusalCode.TooDeep] = ("too_deep", "is nested deeper than 16", "flatten the event"),
        [RefusalCode.DuplicateMember] = ("duplicate_member", "stands twice in one object", "send each member once"),
        [RefusalCode.NotAnObject] = ("not_an_object", "is no JSON object", "send { ... }, one event per record"),
        [RefusalCode.MissingField] = ("missing_field", "is absent or null", "send it, or correct its path in the service definition"),
        [RefusalCode.WrongType] = ("wrong_type", "has another JSON type than the field", "send numbers as numbers, whole ones for integers (1250 for 12.50 in minor units), texts in quotes, true or false for booleans"),
        [RefusalCode.NumberOutOfRange] = ("number_out_of_range", "does not fit the field", "check its size and unit in the service definition"),
        [RefusalCode.NegativeAmount] = ("negative_amount", "is below zero", "send the amount without sign and say refund or reversal in transaction_type"),
        [RefusalCode.BadLength] = ("bad_length", "is empty or too long", "leave out what is empty and shorten what is long"),
        [RefusalCode.BadFormat] = ("bad_format", "has not the form of the field", "see the field in the contract; amounts have at most the digits of their currency"),
        [RefusalCode.UnknownCurrency] = ("unknown_currency", "is no ISO 4217 currency", "send an alpha-3 code such as EUR"),
        [RefusalCode.UnknownCountry] = ("unknown_country", "is no ISO 3166-1 country", "send an alpha-2 code such as DE"),
        [RefusalCode.BadTime] = ("bad_time", "is no time", "send RFC 3339 with an offset, such as 2026-01-31T23:59:59.250Z"),
        [RefusalCode.FutureTime] = ("future_time", "is too far ahead of the clock", "check the producer's clock and the time's unit in the service definition"),
        [RefusalCode.AncientTime] = ("ancient_time", "is before the earliest time of the definition", "check the time's unit and epoch in the service definition"),
        [RefusalCode.PanSuspected] = ("pan_suspected", "looks like a card number", "send a token instead, or declare the field with \"token\": true if it is one"),
        [RefusalCode.BadCloudEvent] = ("bad_cloud_event", "breaks CloudEvents 1.0", "send specversion 1.0 with id, source and type; data as JSON, not data_base64; no batches"),
        [RefusalCode.UnsupportedEncoding] = ("unsupported_encoding", "is in an encoding that is not taken", "send JSON, plain or behind the schema id"),
        [RefusalCode.KeyTooLong] = ("key_too_long", "makes an entity key longer than the definition allows", "shorten it or raise key_bytes_max in the service definition"),
        [RefusalCode.CrashSuspect] = ("crash_suspect", "was in hand three times in a row when the worker's process ended", "find the cause in what the worker said last; when it is mended, send the event of the input topic again"),
        [RefusalCode.AnswerTooLarge] = ("answer_too_large", "has an answer that its topic does not take", "raise max.message.bytes of the topics of scores and alerts, or send shorter texts; the event itself counts, and is not to be sent again"),
        [RefusalCode.DuplicateConflict] = ("duplicate_conflict", "is that of a recent transaction with other fields", "give every transaction an identifier of its own, and repeat it with the same fields"),
    };

    /// <summary>The code in <c>snake_case</c>, as it stands in headers, metrics and logs.</summary>
    public static string Wire(RefusalCode code) => Texts[code].Wire;

    /// <summary>What is wrong and what to do, in one sentence. Holds the field's name, never its value.</summary>
    public static string Hint(Refusal refusal)
    {
        var (_, problem, fix) = Texts[refusal.Code];
        string subject = refusal.Field.Length == 0 ? "the value" : refusal.Field;
        return refusal.ByteOffset > 0
            ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{subject} at byte {refusal.ByteOffset} {problem}: {fix}")
            : $"{subject} {problem}: {fix}";
    }
}
