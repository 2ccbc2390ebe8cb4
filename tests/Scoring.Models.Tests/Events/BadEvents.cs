using System.Text;
using Scoring.Models.Events;

namespace Scoring.Models.Tests.Events;

/// <summary>One kind of bad input to a service that reads our own contract.</summary>
/// <param name="Name">Says what is bad.</param>
/// <param name="Headers">The record's headers.</param>
/// <param name="Value">The record's value; null for a tombstone.</param>
/// <param name="Code">The refusal that must come.</param>
/// <param name="Field">The field it must name.</param>
public sealed record BadEvent(string Name, IReadOnlyList<(string Name, string Value)> Headers, byte[]? Value, RefusalCode Code, string Field)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Every kind of bad input that is tested, alone here and mixed into good traffic end to end.</summary>
public static class BadEvents
{
    private const string CardNumber = "4111111111111111"; // the networks' public test number

    private static readonly (string Name, string Json)[] Members =
    [
        ("transaction_id", "\"t-1\""),
        ("event_time", "\"2025-11-24T12:00:00Z\""),
        ("amount_minor", "1250"),
        ("currency", "\"EUR\""),
        ("account_id", "\"a-1\""),
        ("merchant_id", "\"m-1\""),
    ];

    private static readonly (string, string)[] Binary =
        [("content-type", "application/json"), ("ce_specversion", "1.0"), ("ce_id", "e-1"), ("ce_source", "/switch"), ("ce_type", "dev.fraudscoring.transaction.v1")];

    private static readonly (string, string)[] Structured = [("content-type", "application/cloudevents+json; charset=UTF-8")];

    /// <summary>A good event that all bad ones are made of.</summary>
    public static byte[] Good { get; } = Bytes(With());

    /// <summary>The table.</summary>
    public static IReadOnlyList<BadEvent> All { get; } =
    [
        // no JSON object
        new("tombstone", [], null, RefusalCode.Tombstone, ""),
        Bad("empty value", "", RefusalCode.Empty),
        Bad("white space", "  \n", RefusalCode.MalformedJson),
        Bad("cut in a name", With()[..20], RefusalCode.MalformedJson),
        Bad("cut before the last brace", With()[..^1], RefusalCode.MalformedJson),
        Bad("two events", With() + With(), RefusalCode.MalformedJson),
        Bad("text behind the event", With() + " x", RefusalCode.MalformedJson),
        Bad("trailing comma", With()[..^1] + ",}", RefusalCode.MalformedJson),
        Bad("missing colon", """{"transaction_id" "t-1"}""", RefusalCode.MalformedJson),
        Bad("missing comma", """{"transaction_id":"t-1" "amount_minor":1}""", RefusalCode.MalformedJson),
        Bad("comment", "/* x */" + With(), RefusalCode.MalformedJson),
        Bad("single quotes", With().Replace('"', '\''), RefusalCode.MalformedJson),
        Bad("name without quotes", "{transaction_id:1}", RefusalCode.MalformedJson),
        Bad("NaN", With("amount_minor", "NaN"), RefusalCode.MalformedJson),
        Bad("Infinity", With("latitude", "Infinity"), RefusalCode.MalformedJson),
        Bad("plus sign", With("amount_minor", "+5"), RefusalCode.MalformedJson),
        Bad("leading zero", With("amount_minor", "0012"), RefusalCode.MalformedJson),
        Bad("hexadecimal", With("amount_minor", "0x1F"), RefusalCode.MalformedJson),
        Bad("point without digits", With("latitude", "1."), RefusalCode.MalformedJson),
        Bad("exponent without digits", With("latitude", "1e"), RefusalCode.MalformedJson),
        Bad("misspelt true", With("card_present", "tru"), RefusalCode.MalformedJson),
        Bad("control byte in a text", With("account_id", "\"a\u0001b\""), RefusalCode.MalformedJson),
        Bad("unknown escape", With("account_id", "\"\\x41\""), RefusalCode.MalformedJson),
        Bad("short unicode escape", With("account_id", "\"\\u12\""), RefusalCode.MalformedJson),
        Bad("malformed inside a skipped member", With("metadata", "{\"a\":[1,}"), RefusalCode.MalformedJson),
        new("byte order mark", [], [0xEF, 0xBB, 0xBF, .. Good], RefusalCode.MalformedJson, ""),
        new("UTF-16", [], Encoding.Unicode.GetBytes(With()), RefusalCode.MalformedJson, ""),
        Bad("list", "[" + With() + "]", RefusalCode.NotAnObject),
        Bad("text", "\"hello\"", RefusalCode.NotAnObject),
        Bad("number", "17", RefusalCode.NotAnObject),
        Bad("null", "null", RefusalCode.NotAnObject),

        // size and nesting
        Bad("10 MB value", With("metadata", "\"" + new string('x', 10_000_000) + "\""), RefusalCode.TooLarge),
        Bad("one byte over the limit", With().PadRight((64 * 1024) + 1), RefusalCode.TooLarge),
        Bad("depth 10,000", With("metadata", new string('[', 10_000) + new string(']', 10_000)), RefusalCode.TooDeep),
        Bad("depth 17", With("metadata", Nested(16)), RefusalCode.TooDeep),

        // encoding
        new("invalid UTF-8 in a field", [], Replace(Good, "a-1", [0x61, 0xFF, 0x31]), RefusalCode.InvalidUtf8, ""),
        new("invalid UTF-8 in a skipped member", [], Replace(Bytes(With("note", "\"xyz\"")), "xyz", [0xC3, 0x28, 0x7A]), RefusalCode.InvalidUtf8, ""),
        new("overlong UTF-8", [], Replace(Good, "a-1", [0xC0, 0xAF, 0x31]), RefusalCode.InvalidUtf8, ""),
        Bad("half a surrogate pair", With("account_id", "\"\\uD83D\""), RefusalCode.InvalidUtf8, "account_id"),

        // duplicates
        Bad("field twice", With()[..^1] + ",\"amount_minor\":1}", RefusalCode.DuplicateMember, "amount_minor"),
        Bad("field twice, once escaped", With()[..^1] + ",\"am\\u006funt_minor\":1}", RefusalCode.DuplicateMember, "amount_minor"),
        Bad("unknown member twice", With()[..^1] + ",\"x\":1,\"x\":2}", RefusalCode.DuplicateMember, "x"),

        // missing
        Bad("no transaction_id", Without("transaction_id"), RefusalCode.MissingField, "transaction_id"),
        Bad("no event_time", Without("event_time"), RefusalCode.MissingField, "event_time"),
        Bad("no amount_minor", Without("amount_minor"), RefusalCode.MissingField, "amount_minor"),
        Bad("no currency", Without("currency"), RefusalCode.MissingField, "currency"),
        Bad("no account_id", Without("account_id"), RefusalCode.MissingField, "account_id"),
        Bad("no merchant_id", Without("merchant_id"), RefusalCode.MissingField, "merchant_id"),
        Bad("null in a required field", With("account_id", "null"), RefusalCode.MissingField, "account_id"),
        Bad("empty object", "{}", RefusalCode.MissingField, "transaction_id"),

        // types
        Bad("amount as text", With("amount_minor", "\"1250\""), RefusalCode.WrongType, "amount_minor"),
        Bad("amount as boolean", With("amount_minor", "true"), RefusalCode.WrongType, "amount_minor"),
        Bad("amount as object", With("amount_minor", "{\"value\":1}"), RefusalCode.WrongType, "amount_minor"),
        Bad("amount with a fraction", With("amount_minor", "12.5"), RefusalCode.WrongType, "amount_minor"),
        Bad("amount with an exponent", With("amount_minor", "1e400"), RefusalCode.WrongType, "amount_minor"),
        Bad("identifier as number", With("account_id", "17"), RefusalCode.WrongType, "account_id"),
        Bad("identifier as list", With("account_id", "[\"a\"]"), RefusalCode.WrongType, "account_id"),
        Bad("time as number", With("event_time", "1764000000"), RefusalCode.WrongType, "event_time"),
        Bad("boolean as text", With("card_present", "\"true\""), RefusalCode.WrongType, "card_present"),
        Bad("boolean as number", With("card_present", "1"), RefusalCode.WrongType, "card_present"),
        Bad("latitude as text", With("latitude", "\"52.5\""), RefusalCode.WrongType, "latitude"),

        // numbers
        Bad("negative amount", With("amount_minor", "-1"), RefusalCode.NegativeAmount, "amount_minor"),
        Bad("amount of 2^63", With("amount_minor", "9223372036854775808"), RefusalCode.NumberOutOfRange, "amount_minor"),
        Bad("amount of 1,000 digits", With("amount_minor", new string('9', 1000)), RefusalCode.NumberOutOfRange, "amount_minor"),
        Bad("latitude beyond the pole", With("latitude", "90.1"), RefusalCode.NumberOutOfRange, "latitude"),
        Bad("longitude beyond the date line", With("longitude", "-180.5"), RefusalCode.NumberOutOfRange, "longitude"),
        Bad("latitude of 1e400", With("latitude", "1e400"), RefusalCode.NumberOutOfRange, "latitude"),

        // texts
        Bad("empty identifier", With("account_id", "\"\""), RefusalCode.BadLength, "account_id"),
        Bad("long identifier", With("account_id", "\"" + new string('a', 129) + "\""), RefusalCode.BadLength, "account_id"),
        Bad("long transaction_id", With("transaction_id", "\"" + new string('t', 65) + "\""), RefusalCode.BadLength, "transaction_id"),
        Bad("control character in an identifier", With("account_id", "\"a\\u0000b\""), RefusalCode.BadFormat, "account_id"),
        Bad("upper-case category", With("channel", "\"POS\""), RefusalCode.BadFormat, "channel"),
        Bad("merchant category of 3 digits", With("merchant_category_code", "\"541\""), RefusalCode.BadFormat, "merchant_category_code"),
        Bad("merchant category as number", With("merchant_category_code", "5411"), RefusalCode.WrongType, "merchant_category_code"),
        Bad("last four with a letter", With("card_last4", "\"12a4\""), RefusalCode.BadFormat, "card_last4"),
        Bad("IP address of five parts", With("ip_address", "\"1.2.3.4.5\""), RefusalCode.BadFormat, "ip_address"),
        Bad("IP address as one number", With("ip_address", "\"16909060\""), RefusalCode.BadFormat, "ip_address"),
        Bad("unknown currency", With("currency", "\"XYZ\""), RefusalCode.UnknownCurrency, "currency"),
        Bad("currency sign", With("currency", "\"€\""), RefusalCode.UnknownCurrency, "currency"),
        Bad("unknown numeric currency", With("currency", "\"000\""), RefusalCode.UnknownCurrency, "currency"),
        Bad("unknown country", With("merchant_country", "\"ZZ\""), RefusalCode.UnknownCountry, "merchant_country"),
        Bad("country by name", With("merchant_country", "\"Germany\""), RefusalCode.UnknownCountry, "merchant_country"),

        // times
        Bad("time without offset", With("event_time", "\"2025-11-24T12:00:00\""), RefusalCode.BadTime, "event_time"),
        Bad("date only", With("event_time", "\"2025-11-24\""), RefusalCode.BadTime, "event_time"),
        Bad("30 February", With("event_time", "\"2025-02-30T12:00:00Z\""), RefusalCode.BadTime, "event_time"),
        Bad("29 February of a common year", With("event_time", "\"2025-02-29T12:00:00Z\""), RefusalCode.BadTime, "event_time"),
        Bad("leap second", With("event_time", "\"2016-12-31T23:59:60Z\""), RefusalCode.BadTime, "event_time"),
        Bad("hour 24", With("event_time", "\"2025-11-24T24:00:00Z\""), RefusalCode.BadTime, "event_time"),
        Bad("future time", With("event_time", "\"2999-01-01T00:00:00Z\""), RefusalCode.FutureTime, "event_time"),
        Bad("ancient time", With("event_time", "\"1999-12-31T23:59:59Z\""), RefusalCode.AncientTime, "event_time"),
        Bad("time of year 1", With("event_time", "\"0001-01-01T00:00:00Z\""), RefusalCode.AncientTime, "event_time"),

        // card numbers
        Bad("card number as account", With("account_id", $"\"{CardNumber}\""), RefusalCode.PanSuspected, "account_id"),
        Bad("card number with spaces", With("account_id", "\"4111 1111 1111 1111\""), RefusalCode.PanSuspected, "account_id"),
        Bad("card number with hyphens", With("device_id", "\"3782-822463-10005\""), RefusalCode.PanSuspected, "device_id"),
        Bad("card number behind escapes", With("account_id", "\"\\u0034111111111111111\""), RefusalCode.PanSuspected, "account_id"),
        Bad("card number in a skipped member", With("metadata", $"{{\"note\":[\"paid with {CardNumber}.\"]}}"), RefusalCode.PanSuspected),

        // CloudEvents and Schema Registry
        new("CloudEvents 0.3", [("ce_specversion", "0.3"), .. Binary.Where(header => header.Item1 is not "ce_specversion")], Good, RefusalCode.BadCloudEvent, "ce_specversion"),
        new("CloudEvents without specversion", [.. Binary.Where(header => header.Item1 is not "ce_specversion")], Good, RefusalCode.BadCloudEvent, "ce_specversion"),
        new("CloudEvents without id", [.. Binary.Where(header => header.Item1 is not "ce_id")], Good, RefusalCode.BadCloudEvent, "ce_id"),
        new("CloudEvents with an empty source", [.. Binary.Where(header => header.Item1 is not "ce_source"), ("ce_source", "")], Good, RefusalCode.BadCloudEvent, "ce_source"),
        new("CloudEvents without type", [.. Binary.Where(header => header.Item1 is not "ce_type")], Good, RefusalCode.BadCloudEvent, "ce_type"),
        new("CloudEvents id twice", [.. Binary, ("ce_id", "e-2")], Good, RefusalCode.BadCloudEvent, "ce_id"),
        new("CloudEvents batch", [("content-type", "application/cloudevents-batch+json")], Good, RefusalCode.BadCloudEvent, "content-type"),
        new("CloudEvents as Avro", [("content-type", "application/cloudevents+avro")], Good, RefusalCode.UnsupportedEncoding, "content-type"),
        new("structured without data", Structured, Bytes("""{"specversion":"1.0","id":"1","source":"/s","type":"t"}"""), RefusalCode.BadCloudEvent, "data"),
        new("structured without id", Structured, Bytes($$"""{"specversion":"1.0","source":"/s","type":"t","data":{{With()}}}"""), RefusalCode.BadCloudEvent, "id"),
        new("structured 0.3", Structured, Bytes($$"""{"specversion":"0.3","id":"1","source":"/s","type":"t","data":{{With()}}}"""), RefusalCode.BadCloudEvent, "specversion"),
        new("structured with data_base64", Structured, Bytes("""{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"e30="}"""), RefusalCode.BadCloudEvent, "data_base64"),
        new("structured with a bad event", Structured, Bytes($$"""{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{{Without("currency")}}}"""), RefusalCode.MissingField, "currency"),
        new("structured whose data is a text", Structured, Bytes("""{"specversion":"1.0","id":"1","source":"/s","type":"t","data":"x"}"""), RefusalCode.WrongType, "data"),
        new("Avro by content type", [("content-type", "application/avro")], [2, 4, 6], RefusalCode.UnsupportedEncoding, "content-type"),
        new("Schema Registry frame of Avro", [], [0, 0, 0, 0, 7, 6, 0x74, 0x2D, 0x31], RefusalCode.UnsupportedEncoding, ""),
        new("Schema Registry frame alone", [], [0, 0, 0, 0, 7], RefusalCode.UnsupportedEncoding, ""),
        new("Schema Registry frame with a GUID", [], [1, .. new byte[16], .. Good], RefusalCode.UnsupportedEncoding, ""),
    ];

    /// <summary>The good event with one member replaced or added.</summary>
    public static string With(string? name = null, string json = "") =>
        Join([.. Members.Where(member => !string.Equals(member.Name, name, StringComparison.Ordinal)), .. name is null ? [] : new[] { (name, json) }]);

    private static string Without(string name) => Join([.. Members.Where(member => !string.Equals(member.Name, name, StringComparison.Ordinal))]);

    private static string Join((string Name, string Json)[] members) => "{" + string.Join(',', members.Select(member => $"\"{member.Name}\":{member.Json}")) + "}";

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);

    private static BadEvent Bad(string name, string value, RefusalCode code, string field = "") => new(name, [], Bytes(value), code, field);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Replace(byte[] value, string text, byte[] bytes)
    {
        int at = value.AsSpan().IndexOf(Bytes(text));
        return [.. value[..at], .. bytes, .. value[(at + text.Length)..]];
    }
}
