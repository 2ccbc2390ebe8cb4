using CsCheck;
using Scoring.Models.Definitions;

namespace Scoring.Models.Tests.Features;

/// <summary>Every aggregate against a scan: whole seconds hit the edges; out of order, equal times, full rings, labels in any order.</summary>
public sealed class AggregateContractTests
{
    private const long Epoch = 1_700_000_000_000;

    /// <summary>One step of a history: an event, or a label for the event of this number (which may still have to come).</summary>
    private sealed record Step(int Seconds, int Account, int Amount, int Merchant, int Place, int Label, int Target);

    private static readonly Gen<Step[]> OutOfOrder = Gen.Select(
        Gen.Int[0, 120], Gen.Int[0, 2], Gen.Int[1, 12], Gen.Int[0, 2], Gen.Int[0, 3], Gen.Int[-2, 9], Gen.Int[0, 50],
        (seconds, account, amount, merchant, place, label, target) => new Step(seconds, account, amount, merchant, place, label, target)).Array[0, 50];

    private static readonly Gen<Step[]> InOrder = OutOfOrder.Select(steps =>
    {
        int[] seconds = [.. steps.Select(step => step.Seconds).Order()];
        return steps.Select((step, i) => step with { Seconds = seconds[i] }).ToArray();
    });

    // Windows of more events than any vector holds, most of their values different, some the same.
    private static readonly Gen<Step[]> Crowded = Gen.Select(
        Gen.Int[0, 120], Gen.OneOf(Gen.Int[1, 12], Gen.Int[1, 1_000_000]), Gen.OneOf(Gen.Int[0, 2], Gen.Int[0, 500]), Gen.Int[0, 3], Gen.Int[-20, 1], Gen.Int[0, 200],
        (seconds, amount, merchant, place, label, target) => new Step(seconds, Account: 0, amount, merchant, place, label, target)).Array[100, 200];

    [Fact]
    public void In_order_every_value_is_the_scans() => InOrder.Sample(steps => Check(steps, AggregateTable.All, eventsMax: 64, double.PositiveInfinity), iter: 300);

    [Fact]
    public void Out_of_order_every_value_is_the_scans() => OutOfOrder.Sample(steps => Check(steps, AggregateTable.All, eventsMax: 64, double.PositiveInfinity), iter: 300);

    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    public void Crowded_windows_give_the_scans_values(int eventsMax) => Crowded.Sample(steps => Check(steps, AggregateTable.All, eventsMax, double.PositiveInfinity), iter: 30);

    [Fact]
    public void A_full_ring_gives_values_over_what_it_keeps() => OutOfOrder.Sample(steps => Check(steps, AggregateTable.All, eventsMax: 8, double.PositiveInfinity), iter: 300);

    [Fact]
    public void An_event_older_than_every_window_is_scored_and_not_kept() =>
        OutOfOrder.Sample(steps => Check(steps, AggregateTable.Windowed, eventsMax: 64, retentionMs: 80_000), iter: 300);

    [Fact]
    public void The_mean_of_equal_amounts_is_that_amount()
    {
        using var bench = new Bench(Bench.Definition([new() { Name = "below", Entity = "account", Aggregate = "count", Window = TimeSpan.FromSeconds(30), Where = "amount < mean || amount > mean", Empty = 0 }]));
        for (int amount = 1; amount <= 2_000; amount++)
        {
            for (int i = 0; i < 7; i++)
            {
                Assert.Equal(0, bench.Process("a", new NaiveEvent($"{amount}-{i}", Epoch + (amount * 60_000L) + i, amount, "m", null, null))[0]);
            }
        }
    }

    private static void Check(Step[] steps, IReadOnlyList<(FeatureDefinition Feature, Func<NaiveView, double> Scan)> table, int eventsMax, double retentionMs)
    {
        var account = new EntityDefinition { Key = ["account_id"], EventsMax = eventsMax };
        using var bench = new Bench(Bench.Definition(table.Select(row => row.Feature), account, labelDelaySeconds: AggregateTable.LabelDelay));
        var accounts = Enumerable.Range(0, 3).Select(_ => new NaiveAccount(eventsMax, retentionMs)).ToArray();
        var events = new Dictionary<string, NaiveEvent>(StringComparer.Ordinal);
        var labels = new Dictionary<string, bool>(StringComparer.Ordinal);
        long watermark = long.MinValue;
        for (int i = 0; i < steps.Length; i++)
        {
            var step = steps[i];
            if (step.Label is 0 or 1)
            {
                string target = $"t{step.Target}";
                bench.Label(target, (sbyte)step.Label);
                Label(target, step.Label == 1);
                continue;
            }

            var naive = accounts[step.Account];
            long time = Epoch + (step.Seconds * 1000L);
            double amount = step.Amount * 127 / 100.0;
            var earlier = naive.Before(time).Where(one => one.TimeMs > time - 30_000).ToList();
            var added = new NaiveEvent($"t{i}", time, step.Amount * 127, $"m{step.Merchant}", step.Place == 0 ? null : 10.5 * step.Place, step.Place == 0 ? null : -20.25 * step.Place)
            {
                IsBig = amount > 5,
                IsSurprising = step.Amount * 127 > 2 * AggregateTable.Median(earlier.Select(one => (double)one.AmountMinor)) && earlier.Count >= 2,
            };
            watermark = Math.Max(watermark, time);
            var values = bench.Process($"a{step.Account}", added);
            var view = naive.Add(added);
            for (int feature = 0; feature < table.Count; feature++)
            {
                double expected = table[feature].Scan(view);
                double tolerance = 1e-9 * Math.Max(1, Math.Abs(expected));
                Assert.True(
                    double.IsNaN(expected) ? double.IsNaN(values[feature]) : Math.Abs(values[feature] - expected) <= tolerance,
                    $"step {i}: {table[feature].Feature.Name} is {values[feature]:R}, a scan says {expected:R}");
            }

            events.TryAdd(added.Id, added);
            if (labels.Remove(added.Id, out bool waiting))
            {
                Label(added.Id, waiting);
            }
        }

        void Label(string id, bool isFraud)
        {
            if (!events.TryGetValue(id, out var one))
            {
                labels[id] = isFraud;
            }
            else if (one.IsFraud != isFraud)
            {
                one.IsFraud = isFraud;
                one.CountsFromMs = Math.Max(one.TimeMs + (AggregateTable.LabelDelay * 1000), watermark);
            }
        }
    }
}
