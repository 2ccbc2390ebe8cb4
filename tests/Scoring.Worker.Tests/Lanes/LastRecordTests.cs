using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Commands;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>A reader that was sent elsewhere goes on only behind the record that it read last.</summary>
public sealed class LastRecordTests
{
    private readonly LastRecord last = new();

    public LastRecordTests()
    {
        last.Begin(90);
        last.Is(99, leaderEpoch: 3, timestampMs: 1_000);
    }

    [Fact]
    public void It_is_looked_for_and_the_reader_goes_on_behind_it()
    {
        Assert.Equal(LastRecord.Place.Unknown, last.Look(0, 0, 10));
        Assert.True(last.IsInDoubt);
        Assert.Equal(LastRecord.Place.Same, last.Look(99, 3, 1_000));
        Assert.False(last.IsInDoubt);
        Assert.Equal((99, 100), (last.Offset, last.Position));
    }

    [Fact]
    public void A_lane_that_has_gone_back_looks_for_it_too_and_goes_on_where_it_was_set()
    {
        last.GoBack(95);
        Assert.Equal(LastRecord.Place.Unknown, last.Look(0, 0, 10));
        last.GoBack(95);
        Assert.True(last.IsInDoubt);
        Assert.Equal(LastRecord.Place.Unknown, last.Look(95, 3, 900));
        Assert.Equal(LastRecord.Place.Same, last.Look(99, 3, 1_000));
        Assert.Equal((99, 95), (last.Offset, last.Position));
    }

    [Theory]
    [InlineData(4, 1_000)] // Lost, and written anew by the next leader.
    [InlineData(3, 1_001)] // A topic made anew.
    [InlineData(null, 1_000)]
    public void Another_in_its_place_is_told_apart(int? epoch, long timestampMs)
    {
        Assert.Equal(LastRecord.Place.Unknown, last.Look(0, 0, 10));
        Assert.Equal(LastRecord.Place.Other, last.Look(99, epoch, timestampMs));
    }

    [Fact]
    public void One_that_is_gone_with_what_followed_it_still_there_is_not_gone_on_behind()
    {
        Assert.Equal(LastRecord.Place.Unknown, last.Look(0, 0, 10));
        Assert.Equal(LastRecord.Place.Other, last.Look(100, 4, 2_000));
    }

    [Fact]
    public void A_broker_that_goes_on_sending_it_back_is_not_asked_for_ever()
    {
        for (int look = 0; look < 10; look++)
        {
            Assert.Equal(LastRecord.Place.Unknown, last.Look(0, 0, 10));
        }

        Assert.Equal(LastRecord.Place.Other, last.Look(0, 0, 10));
    }

    [Fact]
    public void Before_any_came_or_without_an_epoch_nobody_can_tell()
    {
        last.Is(100, leaderEpoch: null, timestampMs: 1_000);
        Assert.Equal(LastRecord.Place.Other, last.Look(0, 0, 10));
        last.Begin(90);
        Assert.Equal(LastRecord.Place.Other, last.Look(0, 0, 10));
    }

    [Fact]
    public void A_reader_that_was_sent_back_is_set_to_it_and_then_to_where_it_stood()
    {
        Assert.True(IsNext(100, 3, 2_000, out _));
        Assert.False(IsNext(0, 0, 10, out long from));
        Assert.Equal(99, from);
        Assert.False(IsNext(0, 0, 10, out from)); // What it had fetched before.
        Assert.Equal(99, from);
        Assert.False(IsNext(99, 3, 1_000, out from));
        Assert.Equal(100, from);
        Assert.True(IsNext(100, 3, 2_000, out _));
    }

    [Fact]
    public void Another_record_in_its_place_ends_the_lane_and_says_what_to_do()
    {
        Assert.False(IsNext(0, 0, 10, out _));
        var gone = Assert.Throws<LaneFailure>(() => IsNext(99, 4, 1_000, out _));
        Assert.Equal(ExitCode.Configuration, gone.ExitCode);
        Assert.Contains("labels [7] went back from offset 100 to 99", gone.Message, StringComparison.Ordinal);
        Assert.Contains("reset the group's offsets", gone.Message, StringComparison.Ordinal);
    }

    private bool IsNext(long offset, int epoch, long timestampMs, out long readFrom) =>
        last.IsNext("labels", 7, received: 100, offset, epoch, new Timestamp(timestampMs, TimestampType.CreateTime), NullLogger.Instance, out readFrom);
}
