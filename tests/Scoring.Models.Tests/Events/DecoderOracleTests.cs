using System.Globalization;
using System.Text;
using System.Text.Json;
using CsCheck;
using Scoring.Models.Events;

namespace Scoring.Models.Tests.Events;

/// <summary>The decoder against System.Text.Json's document, which shares no code with it.</summary>
public sealed class DecoderOracleTests
{
    private static readonly Gen<string> Text = Gen.OneOf<string>(
        Gen.String[Gen.Char['a', 'z'], 1, 30],
        Gen.String[Gen.OneOf('"', '\\', '/', 'ä', '漢', '\u2028', '-', '_', 'A'), 1, 20],
        Gen.OneOf("😀 pay", "a\U0001F600b", "ключ"));

    private static readonly Gen<string> Other = Gen.OneOf<string>(
        Text.Select(text => JsonSerializer.Serialize(text)),
        Gen.Double.Where(double.IsFinite).Select(number => number.ToString("R", CultureInfo.InvariantCulture)),
        Gen.OneOf("null", "true", "[]", "{}", "[1,{\"x\":[true,null]}]", "{\"amount_minor\":-1,\"a\":{\"b\":\"c\"}}", " [ 1 , 2 ] "));

    private static readonly Gen<(string Name, string Json)[]> Members =
        Gen.Select(
            Gen.Select(Text, Gen.Long[0, 4_000_000_000_000], Gen.Long[0, long.MaxValue], Gen.OneOf("EUR", "JPY", "KWD")),
            Gen.Select(Text, Text, Gen.Bool, Gen.Double[-90, 90]),
            Other.Array[0, 5],
            Gen.Int[0, 63],
            (first, second, others, optional) =>
            {
                var (id, timeMs, amount, currency) = first;
                var (account, merchant, present, latitude) = second;
                string time = DateTimeOffset.FromUnixTimeMilliseconds(946_684_800_000 + (timeMs % 700_000_000_000)).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
                var members = new List<(string, string)>
                {
                    ("transaction_id", JsonSerializer.Serialize(id)), ("event_time", $"\"{time}\""), ("amount_minor", amount.ToString(CultureInfo.InvariantCulture)),
                    ("currency", $"\"{currency}\""), ("account_id", JsonSerializer.Serialize(account)), ("merchant_id", JsonSerializer.Serialize(merchant)),
                };
                if ((optional & 1) != 0)
                {
                    members.Add(("card_present", present ? "true" : "false"));
                }

                if ((optional & 2) != 0)
                {
                    members.Add(("latitude", latitude.ToString("R", CultureInfo.InvariantCulture)));
                }

                if ((optional & 4) != 0)
                {
                    members.Add(("device_id", "null"));
                }

                members.AddRange(others.Select((json, index) => ($"other_{index}", json)));
                return members.ToArray();
            }).SelectMany(members => Gen.Shuffle(members));

    private static readonly Gen<byte[]> Events = Gen.Select(Members, Gen.OneOf("", " ", "\n\t"), Gen.Bool, (members, space, escapeNames) =>
        Encoding.UTF8.GetBytes(space + "{" + space + string.Join(space + "," + space, members.Select(member => $"\"{(escapeNames ? Escape(member.Name) : member.Name)}\"{space}:{space}{member.Json}")) + space + "}" + space));

    [Fact]
    public void Good_events_decode_as_the_document_reads_them() => Events.Sample(json =>
    {
        var decoder = new EventDecoder(EventDecoderTests.Definition());
        var batch = new TransactionBatch(decoder.Schema, 1);
        var refusal = decoder.Decode(json, isNull: false, new EventHeaders(), EventDecoderTests.NowMs, batch);
        Assert.Equal(Refusal.None, refusal);
        batch.Accept(0, 0, 0);
        AssertEqualsDocument(json, batch);
    });

    [Fact]
    public void Mutated_events_are_refused_or_decode_as_the_document_reads_them()
    {
        // One decoder for all: a refused event must leave it as good as new.
        var decoder = new EventDecoder(EventDecoderTests.Definition());
        var batch = new TransactionBatch(decoder.Schema, 1);
        var mutation = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4000], Gen.OneOf<byte>(Gen.Byte, Gen.OneOf("\"\\{}[],:0123456789eE.-+ntf u\0\u001f"u8.ToArray())));
        int taken = 0;
        int refused = 0;
        Gen.Select(Events, mutation.Array[1, 4]).Sample(
            (json, mutations) =>
            {
                foreach (var (kind, place, value) in mutations)
                {
                    int at = json.Length == 0 ? 0 : place % json.Length;
                    json = kind switch
                    {
                        0 => [.. json[..at], value, .. json[at..]],
                        1 when json.Length > 0 => [.. json[..at], .. json[(at + 1)..]],
                        2 => json[..at],
                        3 => [.. json[..at], .. json[(at / 2)..at], .. json[at..]],
                        _ when json.Length > 0 => [.. json[..at], value, .. json[(at + 1)..]],
                        _ => json,
                    };
                }

                batch.Clear();
                var refusal = decoder.Decode(json, isNull: false, new EventHeaders(), EventDecoderTests.NowMs, batch);
                Assert.InRange(refusal.ByteOffset, 0, Math.Max(json.Length, 1));
                if (refusal.IsNone)
                {
                    batch.Accept(0, 0, 0);
                    AssertEqualsDocument(json, batch);
                    Interlocked.Increment(ref taken);
                }
                else
                {
                    Interlocked.Increment(ref refused);
                    if (refusal.Code is RefusalCode.MalformedJson && json.Length > 0 && json[0] > 1)
                    {
                        Assert.ThrowsAny<JsonException>((Action)(() => JsonDocument.Parse(json).Dispose()));
                    }
                }
            },
            iter: 20_000,
            threads: 1);
        Assert.True(taken > 100 && refused > 1000, $"{taken} taken, {refused} refused");
    }

    private static void AssertEqualsDocument(byte[] json, TransactionBatch batch)
    {
        int start = json[0] == 0 ? 5 : 0;
        using var document = JsonDocument.Parse(json.AsMemory(start));
        for (int i = 0; i < batch.Schema.Fields.Count; i++)
        {
            var field = batch.Schema.Fields[i];
            int column = batch.Schema.ColumnIndex(i);
            bool isThere = document.RootElement.TryGetProperty(field.Name, out var member) && member.ValueKind != JsonValueKind.Null;
            switch (field.Kind)
            {
                case FieldKind.Text:
                    Assert.Equal(isThere ? member.GetString() : "", Encoding.UTF8.GetString(batch.Text(column)[0]), ignoreCase: field.Format is FieldFormat.Currency);
                    break;
                case FieldKind.Integer:
                    Assert.Equal(isThere ? member.GetInt64() : long.MinValue, batch.Integers(column)[0]);
                    break;
                case FieldKind.Number:
                    Assert.Equal(isThere ? member.GetDouble() : double.NaN, batch.Numbers(column)[0]);
                    break;
                case FieldKind.Boolean:
                    Assert.Equal(isThere ? (member.GetBoolean() ? 1 : 0) : -1, batch.Booleans(column)[0]);
                    break;
                case FieldKind.Time when isThere:
                    // RFC 3339 5.6 allows lower case and a space between date and time; System.Text.Json does not.
                    string time = JsonSerializer.Serialize(member.GetString()!.ToUpperInvariant().Replace(' ', 'T'));
                    Assert.Equal(JsonSerializer.Deserialize<DateTimeOffset>(time).ToUnixTimeMilliseconds(), batch.Times(column)[0]);
                    break;
            }
        }
    }

    private static string Escape(string name) => string.Concat(name.Select((c, i) => i % 3 == 0 ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : c.ToString()));
}
