using CsCheck;
using Scoring.Worker.Demo;

namespace Scoring.Worker.Tests.Demo;

public sealed class DemoScheduleTests
{
    private static readonly Gen<DateTimeOffset> Now =
        Gen.Int[0, 8 * 365 * 24 * 60].Select(minutes => new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minutes));

    [Fact]
    public void Live_days_begin_on_a_monday_and_are_over() => Now.Sample(now =>
    {
        var schedule = new DemoSchedule(new DemoOptions(), now);
        Assert.Equal((DayOfWeek.Monday, TimeSpan.Zero, TimeSpan.Zero), (schedule.LiveBegins.DayOfWeek, schedule.LiveBegins.TimeOfDay, schedule.LiveBegins.Offset));
        Assert.InRange(schedule.LiveEnds, now.AddDays(-8), now);
        Assert.True(schedule.HistoryBegins < schedule.LiveBegins && schedule.LiveBegins < schedule.NewFraudBegins && schedule.NewFraudBegins < schedule.LearnsAgain);
        Assert.True(schedule.LearnsAgain < schedule.ComparedFrom && schedule.ComparedFrom < schedule.LiveEnds);
        Assert.Equal(schedule.LearnsAgain, schedule.LiveBegins.AddDays(7));
    });

    [Fact]
    public void The_same_seed_gives_the_same_world_whenever_it_is_started() => Gen.Select(Now, Now, Gen.Int[0, 100]).Sample(
        (now, later, seed) => Assert.Equal(World(now, seed), World(later, seed)),
        iter: 10);

    // Times from the beginning on; everything else as it is.
    private static List<(long, int, int, long, FraudPattern)> World(DateTimeOffset now, int seed)
    {
        var traffic = new DemoSchedule(new DemoOptions { Accounts = 60, Seed = seed }, now).Traffic;
        var simulator = new TrafficSimulator(traffic);
        var world = new List<(long, int, int, long, FraudPattern)>();
        var payment = default(SimulatedTransaction);
        while (simulator.Next(ref payment))
        {
            world.Add((payment.EventTimeMs - traffic.Start.ToUnixTimeMilliseconds(), payment.Account, payment.Merchant, payment.AmountMinor, payment.Pattern));
        }

        return world;
    }
}
