using System.Text;
using Scoring.Models.Events;

namespace Scoring.Models.Tests.Events;

public sealed class BadEventTests
{
    public static TheoryData<string> Names { get; } = [.. BadEvents.All.Select(bad => bad.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_refused_with_code_and_field(string name)
    {
        var bad = BadEvents.All.Single(bad => string.Equals(bad.Name, name, StringComparison.Ordinal));
        var decoder = new EventDecoder(EventDecoderTests.Definition());
        var batch = new TransactionBatch(decoder.Schema, 2);
        var headers = new EventHeaders();
        foreach (var (header, value) in bad.Headers)
        {
            headers.Add(header, Encoding.UTF8.GetBytes(value));
        }

        var refusal = decoder.Decode(bad.Value, bad.Value is null, headers, EventDecoderTests.NowMs, batch);

        Assert.Equal((bad.Code, bad.Field), (refusal.Code, refusal.Field));
        Assert.InRange(refusal.ByteOffset, 0, Math.Max(bad.Value?.Length ?? 0, 1));
        Assert.False(string.IsNullOrEmpty(RefusalTexts.Hint(refusal)));
        Assert.DoesNotContain("1111111", RefusalTexts.Hint(refusal), StringComparison.Ordinal);

        // What was refused leaves nothing behind for the next event.
        headers.Clear();
        Assert.Equal(Refusal.None, decoder.Decode(BadEvents.Good, isNull: false, headers, EventDecoderTests.NowMs, batch));
        batch.Accept(0, 0, 0);
        Assert.Equal("a-1", Encoding.UTF8.GetString(batch.AccountIds[0]));
        Assert.False(batch.Text(decoder.Schema.ColumnIndex(decoder.Schema.IndexOf("device_id"))).Has(0));
    }

    [Fact]
    public void There_are_at_least_sixty_kinds_and_every_code_is_met()
    {
        Assert.True(BadEvents.All.Count >= 60);
        Assert.Distinct(BadEvents.All.Select(bad => bad.Name));
        Assert.Empty(Enum.GetValues<RefusalCode>().Except([RefusalCode.None, RefusalCode.KeyTooLong, RefusalCode.DuplicateConflict, RefusalCode.CrashSuspect, RefusalCode.AnswerTooLarge, .. BadEvents.All.Select(bad => bad.Code)]));
    }

    [Fact]
    public void Every_code_has_a_wire_name_and_a_sentence()
    {
        var wire = Enum.GetValues<RefusalCode>().Select(RefusalTexts.Wire).ToList();
        Assert.Distinct(wire);
        Assert.All(wire, name => Assert.Matches("^[a-z0-9_]+$", name));
    }
}
