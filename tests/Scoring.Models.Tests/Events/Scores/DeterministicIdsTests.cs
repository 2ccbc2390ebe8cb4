using System.Text;
using CsCheck;
using Scoring.Models.Events.Scores;

namespace Scoring.Models.Tests.Events.Scores;

public sealed class DeterministicIdsTests
{
    [Fact] // RFC 9562, appendix A.4
    public void Version5_gives_the_example_of_the_RFC() =>
        Assert.Equal(
            new Guid("2ed6657d-e927-568b-95e1-2665a8aea6a2"),
            DeterministicIds.Version5(new Guid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "www.example.com"u8));

    [Fact]
    public void Ids_are_what_the_documented_names_give()
    {
        Assert.Equal(
            DeterministicIds.Version5(DeterministicIds.Namespace, "score\ncards\nabc\nt-1"u8),
            DeterministicIds.OfScores("cards", "abc").Of("t-1"u8));
        Assert.Equal(
            DeterministicIds.Version5(DeterministicIds.Namespace, "alert\ncards\n-\ndef\nt-1"u8),
            DeterministicIds.OfAlerts("cards", null, "def").Of("t-1"u8));
    }

    [Fact] // The prefix has 16 + 9 bytes and those of the service: up to 215 and 256 of a transaction, each place in a block of 64.
    public void Names_of_all_lengths_give_what_the_platforms_hash_gives() =>
        Gen.Select(Gen.Int[0, 190], Gen.Byte.Array[1, 256]).Sample(
            (serviceLength, transactionId) =>
            {
                string service = new('s', serviceLength);
                byte[] name = [.. Encoding.UTF8.GetBytes($"score\n{service}\n-\n"), .. transactionId];
                return DeterministicIds.OfScores(service, null).Of(transactionId) == DeterministicIds.Version5(DeterministicIds.Namespace, name);
            },
            iter: 20_000);

    [Fact]
    public void An_earlier_longer_name_leaves_no_trace()
    {
        var ids = DeterministicIds.OfScores("cards", "abc");
        var first = ids.Of("t-1"u8);
        ids.Of("a-much-longer-transaction-id"u8);
        Assert.Equal(first, ids.Of("t-1"u8));
    }

    [Fact]
    public void Headers_are_those_of_CloudEvents_in_binary_mode()
    {
        Assert.Equal(
            ["ce_specversion=1.0", "ce_type=dev.fraudscoring.alert.v1", "ce_source=/services/cards", "content-type=application/json"],
            ScoreHeaders.OfAlerts("cards").Fixed.Select(header => $"{header.Key}={Encoding.UTF8.GetString(header.Value)}"));
        var time = new byte[ScoreHeaders.TimeLength];
        ScoreHeaders.WriteTime(951_782_400_007, time);
        Assert.Equal("2000-02-29T00:00:00.007Z", Encoding.UTF8.GetString(time));
    }
}
