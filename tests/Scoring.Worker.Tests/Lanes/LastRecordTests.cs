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
        Assert.Equal((LastRecord.Place.Next, 100), Look(100, 3, 2_000));
        Assert.Equal((LastRecord.Place.Sought, 99), Look(0, 0, 10));
        Assert.Equal((LastRecord.Place.Sought, 99), Look(1, 0, 10)); // What it had fetched before.
        Assert.True(last.IsInDoubt);
        Assert.Equal((LastRecord.Place.Found, 100), Look(99, 3, 1_000));
        Assert.False(last.IsInDoubt);
        Assert.Equal((LastRecord.Place.Next, 100), Look(100, 3, 2_000));
        Assert.Equal((99, 100), (last.Offset, last.Position));
    }

    [Fact]
    public void A_lane_that_has_gone_back_looks_for_it_too_and_goes_on_where_it_was_set()
    {
        last.GoBack(95);
        Assert.Equal((LastRecord.Place.Sought, 99), Look(0, 0, 10));
        last.GoBack(95);
        Assert.True(last.IsInDoubt);
        Assert.Equal((LastRecord.Place.Sought, 99), Look(95, 3, 900));
        Assert.Equal((LastRecord.Place.Found, 95), Look(99, 3, 1_000));
        Assert.Equal((LastRecord.Place.Next, 95), Look(95, 3, 900));
    }

    [Fact]
    public void A_lane_that_has_gone_back_beyond_it_looks_for_it_all_the_same()
    {
        Assert.Equal((LastRecord.Place.Sought, 99), Look(0, 0, 10));
        last.GoBack(100); // The end that it had been told was of a control record.
        Assert.Equal((LastRecord.Place.Sought, 99), Look(101, 3, 2_000));
        Assert.Equal((LastRecord.Place.Found, 100), Look(99, 3, 1_000));
        Assert.Equal((LastRecord.Place.Next, 100), Look(101, 3, 2_000));
    }

    [Theory]
    [InlineData(4, 1_000)] // Lost, and written anew by the next leader.
    [InlineData(3, 1_001)] // A topic made anew.
    [InlineData(null, 1_000)]
    public void Another_in_its_place_is_told_apart(int? epoch, long timestampMs)
    {
        Assert.Equal((LastRecord.Place.Sought, 99), Look(0, 0, 10));
        Assert.Equal(LastRecord.Place.Gone, Look(99, epoch, timestampMs).Place);
    }

    [Theory]
    [InlineData(0)] // The broker goes on sending the reader back.
    [InlineData(100)] // It is gone, and what followed is there.
    public void It_is_not_looked_for_for_ever(long instead)
    {
        Assert.Equal((LastRecord.Place.Sought, 99), Look(0, 0, 10));
        for (int look = 1; look < 100; look++)
        {
            Assert.Equal((LastRecord.Place.Sought, 99), Look(instead, 4, 2_000));
        }

        Assert.Equal(LastRecord.Place.Gone, Look(instead, 4, 2_000).Place);
    }

    [Fact]
    public void A_position_that_never_comes_is_not_waited_for_for_ever()
    {
        int looks = 0;
        while (Look(0, 0, 10).Place == LastRecord.Place.Sought && Look(99, 3, 1_000).Place == LastRecord.Place.Found)
        {
            looks++;
        }

        Assert.Equal(50, looks);
    }

    [Fact]
    public void An_end_is_one_unless_the_last_record_is_looked_for_and_then_it_is_missed()
    {
        Assert.Equal(LastRecord.Place.Next, last.LookAtEnd(100, out _));
        Assert.Equal((LastRecord.Place.Sought, 99), Look(0, 0, 10));
        for (int look = 1; look < 100; look++)
        {
            Assert.Equal(LastRecord.Place.Sought, last.LookAtEnd(99, out long readFrom));
            Assert.Equal(99, readFrom);
        }

        Assert.Equal(LastRecord.Place.Gone, last.LookAtEnd(90, out _));
        last.Begin(90);
        Assert.Equal((LastRecord.Place.Sought, 90), Look(0, 0, 10));
        Assert.Equal(LastRecord.Place.Next, last.LookAtEnd(90, out _));
        Assert.False(last.IsInDoubt);
    }

    [Fact]
    public void A_reader_that_is_sent_back_now_and_then_with_nothing_new_finds_it_each_time()
    {
        for (int times = 0; times < 200; times++)
        {
            Assert.Equal((LastRecord.Place.Sought, 99), Look(0, 0, 10));
            Assert.Equal((LastRecord.Place.Found, 100), Look(99, 3, 1_000));
            Assert.Equal(LastRecord.Place.Next, last.LookAtEnd(100, out _));
        }
    }

    [Fact]
    public void Before_any_came_the_reader_is_set_to_where_it_began_and_not_for_ever()
    {
        last.Begin(90);
        for (int look = 0; look < 100; look++)
        {
            Assert.Equal((LastRecord.Place.Sought, 90), Look(0, 0, 10));
        }

        Assert.Equal(LastRecord.Place.Gone, Look(0, 0, 10).Place);
        last.Begin(90);
        Assert.Equal((LastRecord.Place.Sought, 90), Look(0, 0, 10));
        Assert.Equal((LastRecord.Place.Next, 90), Look(91, 3, 1_000));
        Assert.False(last.IsInDoubt);
    }

    [Fact]
    public void Without_an_epoch_nobody_can_tell()
    {
        last.Is(100, leaderEpoch: null, timestampMs: 1_000);
        Assert.Equal(LastRecord.Place.Gone, Look(0, 0, 10).Place);
    }

    private (LastRecord.Place Place, long ReadFrom) Look(long offset, int? epoch, long timestampMs) =>
        (last.Look(offset, epoch, timestampMs, out long readFrom), readFrom);
}
