using Microsoft.Extensions.Time.Testing;
using Scoring.Worker.Lanes;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>Lanes whose commits fall together draw apart, and stay so.</summary>
public sealed class CommitSpacingTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(24);
    private static readonly TimeSpan Commit = TimeSpan.FromMilliseconds(6);
    private static readonly TimeSpan Cycle = TimeSpan.FromMilliseconds(1);

    private readonly FakeTimeProvider clock = new();

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Commits_that_begin_together_come_apart_and_none_comes_later_than_its_interval(int lanes)
    {
        var begun = Run(lanes, TimeSpan.FromSeconds(3));
        var later = begun.Where(commit => commit.At > TimeSpan.FromSeconds(1)).ToList();

        Assert.All(later.Zip(later.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= Commit, $"{pair.First.At} and {pair.Second.At}"));
        Assert.All(later.GroupBy(commit => commit.Lane), lane => Assert.All(lane.Zip(lane.Skip(1)), pair => Assert.Equal(Interval, pair.Second.At - pair.First.At)));
    }

    [Fact]
    public void A_lane_alone_waits_for_nobody()
    {
        var spacing = new CommitSpacing(1, clock);
        spacing.Begins();
        Assert.False(spacing.IsDue(Interval - Cycle, Interval, Commit));
        Assert.True(spacing.IsDue(Interval, Interval, Commit));
    }

    [Theory]
    [InlineData(24, 12)]
    [InlineData(5_000, 50)]
    public void A_lane_that_others_are_always_in_the_way_of_begins_after_half_an_interval_and_50_ms_at_most(int intervalMs, int waitMs)
    {
        var spacing = new CommitSpacing(2, clock);
        spacing.Begins();
        var interval = TimeSpan.FromMilliseconds(intervalMs);
        Assert.False(spacing.IsDue(interval + TimeSpan.FromMilliseconds(waitMs - 1), interval, Commit));
        Assert.True(spacing.IsDue(interval + TimeSpan.FromMilliseconds(waitMs), interval, Commit));
    }

    [Fact]
    public void A_lane_with_a_long_interval_waits_for_one_with_a_short_for_a_commit_and_a_half()
    {
        var spacing = new CommitSpacing(2, clock);
        spacing.Begins();
        var interval = TimeSpan.FromMilliseconds(100);
        clock.Advance(TimeSpan.FromMilliseconds(8));
        Assert.False(spacing.IsDue(interval, interval, Commit));
        clock.Advance(Cycle);
        Assert.True(spacing.IsDue(interval, interval, Commit));
    }

    /// <summary>Lanes that ask every millisecond, all of them first at once.</summary>
    private List<(int Lane, TimeSpan At)> Run(int lanes, TimeSpan time)
    {
        var spacing = new CommitSpacing(lanes, clock);
        long started = clock.GetTimestamp();
        long[] committedAt = new long[lanes];
        Array.Fill(committedAt, started);
        var begun = new List<(int, TimeSpan)>();
        while (clock.GetElapsedTime(started) < time)
        {
            clock.Advance(Cycle);
            long now = clock.GetTimestamp();
            for (int lane = 0; lane < lanes; lane++)
            {
                if (spacing.IsDue(clock.GetElapsedTime(committedAt[lane], now), Interval, Commit))
                {
                    spacing.Begins();
                    committedAt[lane] = now;
                    begun.Add((lane, clock.GetElapsedTime(started)));
                }
            }
        }

        return begun;
    }
}
