using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using Scoring.Models.Events;
using Scoring.Models.Events.Values;

namespace Scoring.Models.Tests.Events;

public sealed class DeadLetterTests
{
    [Theory]
    [InlineData("""{"account_id":"4111111111111111"}""", """{"account_id":"411111******1111"}""")]
    [InlineData("""{"a":"4111 1111 1111 1111 and 3782-822463-10005."}""", """{"a":"4111 11** **** 1111 and 3782-82****-*0005."}""")]
    [InlineData("""{"a":"\n\u0034111111111111111"}""", """{"a":"\n411111******1111"}""")]
    [InlineData("""{"a":"x\\n4111111111111111""", """{"a":"x\\n4111111111111111""")]
    [InlineData("{\"a\":\"\\n4111111111111111\",\"b\":\"", "{\"a\":\"\\n411111******1111\",\"b\":\"")]
    [InlineData("""{"a":4111111111111111,""", """{"a":411111******1111,""")]
    [InlineData("not json 5555555555554444", "not json 555555******4444")]
    [InlineData("""{"a":"4111111111111112","b":"1234567890123456","c":"41111111111111111111111"}""", """{"a":"4111111111111112","b":"1234567890123456","c":"41111111111111111111111"}""")]
    public void Card_numbers_are_masked_whatever_the_value_is(string value, string expected)
    {
        var letter = DeadLetterValue.Of(Encoding.UTF8.GetBytes(value));
        Assert.Equal(expected, Encoding.UTF8.GetString(letter.Bytes));
        Assert.Equal(!string.Equals(value, expected, StringComparison.Ordinal), letter.IsMasked);
        Assert.Null(letter.OriginalSha256);
    }

    [Fact]
    public void What_the_decoder_suspects_the_dead_letter_masks()
    {
        foreach (var bad in BadEvents.All.Where(bad => bad.Code == RefusalCode.PanSuspected))
        {
            var letter = DeadLetterValue.Of(bad.Value);
            Assert.True(letter.IsMasked, bad.Name);
            using var document = JsonDocument.Parse(letter.Bytes);
            Assert.False(CardNumbers.IsSuspected(Encoding.UTF8.GetBytes(document.RootElement.ToString())), bad.Name);
        }
    }

    [Fact]
    public void A_long_value_is_cut_and_named_by_its_digest()
    {
        var value = Encoding.UTF8.GetBytes(new string('x', 1000));
        var letter = DeadLetterValue.Of(value, bytesMax: 100);
        Assert.Equal(value[..100], letter.Bytes);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(value)), letter.OriginalSha256);

        var headers = DeadLetterHeaders.For(new Refusal(RefusalCode.TooLarge, "", 0), letter, "payments", 3, 17, "0.1.0").ToDictionary(header => header.Key, header => Encoding.UTF8.GetString(header.Value), StringComparer.Ordinal);
        Assert.Equal("too_large", headers["fs-error-code"]);
        Assert.Equal("1000", headers["fs-original-size"]);
        Assert.Equal(("payments", "3", "17"), (headers["__connect.errors.topic"], headers["__connect.errors.partition"], headers["__connect.errors.offset"]));
        Assert.Subset(DeadLetterHeaders.All.Select(header => header.Name).ToHashSet(StringComparer.Ordinal), headers.Keys.ToHashSet(StringComparer.Ordinal));
    }

    [Fact]
    public void A_masked_value_is_never_named_by_its_digest() =>
        Assert.Null(DeadLetterValue.Of(Encoding.UTF8.GetBytes("4111111111111111 " + new string('x', 1000)), bytesMax: 100).OriginalSha256);

    [Fact]
    public void Any_bytes_make_a_dead_letter() => Gen.Byte.Array[0, 300].Sample(bytes =>
    {
        var letter = DeadLetterValue.Of(bytes);
        Assert.True(letter.IsMasked || bytes.AsSpan().SequenceEqual(letter.Bytes));
    });

    [Fact]
    public void Digits_with_a_network_prefix_and_a_Luhn_digit_are_suspected() => Gen.Select(Gen.Int[2, 6], Gen.Int[0, 9].Array[11, 17]).Sample((first, rest) =>
    {
        // The check digit by the definition of ISO/IEC 7812-1, from the right.
        int[] digits = [first, .. rest];
        int sum = digits.Reverse().Select((digit, place) => place % 2 == 1 ? digit : (digit * 2 / 10) + (digit * 2 % 10)).Sum();
        int check = (10 - (sum % 10)) % 10;
        string number = string.Concat(digits);
        for (int last = 0; last <= 9; last++)
        {
            Assert.Equal(last == check, CardNumbers.IsSuspected(Encoding.ASCII.GetBytes(number + last.ToString(System.Globalization.CultureInfo.InvariantCulture))));
        }
    });

    [Theory]
    [InlineData("12345678-1234-4123-b123-123456789012")]
    [InlineData("a4111111111111111")]
    [InlineData("2026-11-24 17:03:23")]
    [InlineData("GB29 NWBK 6016 1331 9268 19")]
    public void Other_numbers_are_not(string text) => Assert.False(CardNumbers.IsSuspected(Encoding.ASCII.GetBytes(text)));
}
