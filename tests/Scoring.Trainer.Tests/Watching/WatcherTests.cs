using Scoring.Models.Packaging;
using Scoring.Trainer.Networks;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Tests.Watching;

public sealed class WatcherTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("scoring-watch-");
    private readonly PackageKey key = PackageKey.Create();

    public void Dispose()
    {
        folder.Delete(recursive: true);
        key.Dispose();
    }

    [Fact]
    public async Task A_new_habit_of_fraud_brings_a_new_champion_and_the_lineage_says_why()
    {
        var shop = Shop("one");
        await shop.RunAsync(WatchedShop.Settings);

        var outcomes = shop.Decisions.Select(WatchedShop.OutcomeOf).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', shop.Log));
        Assert.Equal("not_judged", outcomes[0]); // too little history
        Assert.Contains("the history begins at", shop.Log[1], StringComparison.Ordinal);
        Assert.Contains("kept", outcomes);
        var packages = shop.Packages;
        Assert.InRange(packages.Count, 2, 4);
        Assert.True(packages[^1].Manifest.Promotion!.JudgedTo > WatchedShopDay(35), "the last champion was judged on the new habit");
        for (int i = 0; i < packages.Count; i++)
        {
            var manifest = packages[i].Manifest;
            Assert.Equal(i + 1, manifest.Sequence);
            Assert.Equal(i == 0 ? null : packages[i - 1].Sha256, manifest.PreviousSha256);
            Assert.Equal(["schedule"], manifest.Promotion!.Triggers);
            Assert.True(manifest.Promotion.Figures["ap_gain_low"] > 0);
            Assert.True(manifest.Training!.To <= manifest.Promotion.JudgedFrom, "judged on later days than it learnt from");
            Assert.True(manifest.Promotion.JudgedTo <= manifest.Promotion.DecidedAt.AddDays(-2), "judged on days whose labels were known");
        }
    }

    [Fact]
    public async Task A_network_beside_the_trees_is_judged_and_published_with_them_and_learns_the_same_again()
    {
        var settings = WatchedShop.Settings with { NetworkChoice = NetworkChoice.On, Network = new NetworkSettings { Hidden = [8], BatchRows = 256, EpochsMax = 5 } };
        var one = Shop("network");
        await one.RunAsync(settings);
        var other = Shop("network-again");
        await other.RunAsync(settings);

        Assert.NotEmpty(one.Packages);
        Assert.All(one.Packages, package => Assert.NotNull(package.Manifest.Network));
        Assert.Equal(one.Packages.Select(package => package.Sha256), other.Packages.Select(package => package.Sha256));
    }

    [Fact]
    public async Task Killed_at_every_step_again_and_again_it_decides_and_publishes_the_same()
    {
        var undisturbed = Shop("undisturbed");
        await undisturbed.RunAsync(WatchedShop.Settings);
        var disturbed = Shop("disturbed");
        var random = new Random(23);
        int kills = 0;
        for (bool isDone = false; !isDone;)
        {
            int stepsLeft = kills < 20 ? random.Next(1, 7) : int.MaxValue;
            try
            {
                await disturbed.RunAsync(WatchedShop.Settings, _ => stepsLeft = stepsLeft > 0 ? stepsLeft - 1 : throw new KilledException("at a step"));
                isDone = true;
            }
            catch (KilledException)
            {
                kills++;
            }
        }

        Assert.InRange(kills, 5, 20);
        Assert.Equal(undisturbed.Decisions, disturbed.Decisions);
        Assert.Equal(undisturbed.Packages.Select(package => package.Sha256), disturbed.Packages.Select(package => package.Sha256));
    }

    [Fact]
    public async Task Days_that_come_bit_by_bit_give_what_they_give_at_once()
    {
        var atOnce = Shop("at-once");
        await atOnce.RunAsync(WatchedShop.Settings);
        var bitByBit = Shop("bit-by-bit");
        for (double day = 7; day <= WatchedShop.Days; day += 5.5)
        {
            await bitByBit.RunAsync(WatchedShop.Settings, untilDay: day);
        }

        await bitByBit.RunAsync(WatchedShop.Settings);
        Assert.Equal(atOnce.Decisions, bitByBit.Decisions);
    }

    [Fact]
    public async Task Enough_newly_known_frauds_are_a_reason_of_their_own()
    {
        var shop = Shop("labels");
        await shop.RunAsync(WatchedShop.Settings with { Cron = null, LabelsMin = 60 });

        Assert.NotEmpty(shop.Packages);
        Assert.All(shop.Packages, package => Assert.Equal(["labels"], package.Manifest.Promotion!.Triggers));
    }

    [Fact]
    public async Task Traffic_that_has_moved_asks_by_itself_and_quiet_traffic_does_not()
    {
        var settings = WatchedShop.Settings with { Cron = "0 0 29 1 *", DriftMin = 0.5 };
        var quiet = Shop("quiet");
        await quiet.RunAsync(settings, untilDay: 43); // drift asks again after the five judged days
        var moved = new WatchedShop(Path.Combine(folder.FullName, "moved"), key, dearerFromDay: 38);
        await moved.RunAsync(settings, untilDay: 43);

        Assert.Single(quiet.Decisions); // the schedule's
        Assert.Equal(2, moved.Decisions.Count);
        Assert.Contains(moved.Log, line => line.StartsWith("2024-02-09T00:00Z: paid has moved", StringComparison.Ordinal) || line.StartsWith("2024-02-09T00:00Z: mean_7d has moved", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_trainer_that_takes_over_begins_where_the_first_one_promoted()
    {
        var first = Shop("first");
        await first.RunAsync(WatchedShop.Settings, untilDay: 40);
        int published = first.Packages.Count;
        var second = Shop("second");
        Directory.CreateDirectory(second.Published);
        foreach (string file in Directory.EnumerateFiles(first.Published))
        {
            File.Copy(file, Path.Combine(second.Published, Path.GetFileName(file)));
        }

        await second.RunAsync(WatchedShop.Settings, untilDay: 40);

        Assert.True(published > 0);
        Assert.Equal(published, second.Packages.Count);
        Assert.Contains(second.Log, line => line.Contains("was decided on at", StringComparison.Ordinal));
    }

    private static DateTimeOffset WatchedShopDay(double day) => History.RecordedShop.Epoch.AddDays(day);

    private WatchedShop Shop(string name) => new(Path.Combine(folder.FullName, name), key);

}
