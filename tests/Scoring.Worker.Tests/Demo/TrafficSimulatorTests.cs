using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Worker.Demo;

namespace Scoring.Worker.Tests.Demo;

public sealed class TrafficSimulatorTests
{
    private const long DayMs = 86_400_000;
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);

    private static TrafficOptions Weeks(int weeks, ulong seed = 7, int accounts = 2_000) =>
        new() { Seed = seed, Start = Start, End = Start.AddDays(7 * weeks), Accounts = accounts, Merchants = 400 };

    [Fact]
    public void Equal_options_give_equal_bytes_and_another_seed_gives_others()
    {
        string first = Digest(Weeks(1, seed: 3));
        Assert.Equal(first, Digest(Weeks(1, seed: 3)));
        Assert.NotEqual(first, Digest(Weeks(1, seed: 4)));
    }

    [Fact]
    public void Transactions_come_in_event_time_order_inside_the_stated_time_and_labels_in_order_of_report() =>
        Gen.Select(Gen.ULong, Gen.Int[10, 400], Gen.Double[0, 0.2]).Sample(
            (seed, accounts, fraudRate) =>
            {
                var options = Weeks(2, seed, accounts) with { FraudRate = fraudRate };
                var simulator = new TrafficSimulator(options);
                var tx = default(SimulatedTransaction);
                long last = options.Start.ToUnixTimeMilliseconds();
                long lastReport = 0;
                for (long expected = 0; simulator.Next(ref tx); expected++)
                {
                    Assert.Equal(expected, tx.Sequence);
                    Assert.InRange(tx.EventTimeMs, last, options.End!.Value.ToUnixTimeMilliseconds() - 1);
                    last = tx.EventTimeMs;
                    while (simulator.NextLabel(last, out var label))
                    {
                        Assert.InRange(label.ReportedAtMs, lastReport, last);
                        Assert.True(label.TransactionTimeMs < label.ReportedAtMs);
                        lastReport = label.ReportedAtMs;
                    }
                }
            },
            iter: 20);

    [Fact]
    public void Every_fraud_is_reported_once_and_nothing_honest_is_reported_as_fraud()
    {
        var (transactions, labels) = Everything(Weeks(4));
        var truth = transactions.ToDictionary(tx => tx.Sequence, tx => tx.Pattern);
        Assert.Equal(labels.Count, labels.DistinctBy(label => label.Sequence).Count());
        Assert.All(labels, label => Assert.Equal(truth[label.Sequence], label.Pattern));
        Assert.All(labels, label => Assert.Equal(label.IsFraud, label.Source != SimulatedLabelSource.Analyst));
        Assert.Equal(transactions.Count(tx => tx.Pattern != FraudPattern.None), labels.Count(label => label.IsFraud));
        Assert.Contains(labels, label => !label.IsFraud);

        double[] delayDays = [.. labels.Where(label => label.IsFraud).Select(label => (label.ReportedAtMs - label.TransactionTimeMs) / (double)DayMs).Order()];
        Assert.InRange(delayDays[delayDays.Length / 2], 3.4, 4.6);
    }

    [Fact]
    public void Frauds_have_the_rate_that_was_asked_for_and_all_five_patterns_their_share()
    {
        var (transactions, _) = Everything(Weeks(8, accounts: 4_000));
        double rate = transactions.Count(tx => tx.Pattern != FraudPattern.None) / (double)transactions.Count;
        Assert.InRange(rate, 0.006, 0.010);
        foreach (FraudPattern pattern in Enum.GetValues<FraudPattern>().Where(pattern => pattern is not FraudPattern.None and not FraudPattern.StoredCardAbuse))
        {
            Assert.InRange(transactions.Count(tx => tx.Pattern == pattern) / (rate * transactions.Count), 0.08, 0.35);
        }
    }

    [Fact]
    public void The_new_fraud_begins_when_it_is_asked_for_and_comes_on_top()
    {
        var (before, _) = Everything(Weeks(8, accounts: 4_000));
        Assert.DoesNotContain(before, tx => tx.Pattern == FraudPattern.StoredCardAbuse);

        var begins = Start.AddDays(35.5);
        var (transactions, labels) = Everything(Weeks(8, accounts: 4_000) with { StoredCardAbuseBegins = begins });
        var frauds = transactions.Where(tx => tx.Pattern == FraudPattern.StoredCardAbuse).ToList();
        Assert.Equal(begins.ToUnixTimeMilliseconds(), frauds[0].EventTimeMs);
        Assert.Equal(frauds.Count, labels.Count(label => label.Pattern == FraudPattern.StoredCardAbuse));

        // Until then the world is the same, payment by payment.
        Assert.Equal(before.TakeWhile(tx => tx.EventTimeMs < frauds[0].EventTimeMs), transactions.TakeWhile(tx => tx.Sequence < frauds[0].Sequence));

        // 0.45 of the other fraud: 4,000 accounts, two payments a day, 0.8 %, for 20.5 days.
        Assert.InRange(frauds.Count, 0.7 * 0.45 * 64 * 20.5, 1.3 * 0.45 * 64 * 20.5);
    }

    [Fact]
    public void Each_pattern_looks_like_what_it_is_called()
    {
        var options = Weeks(8, accounts: 4_000) with { StoredCardAbuseBegins = Start };
        var world = new TrafficSimulator(options).World;
        var known = Everything(options).Transactions.Where(tx => tx.Pattern == FraudPattern.None).Select(tx => (tx.Account, tx.Merchant)).ToHashSet();
        var campaigns = Everything(options).Transactions.Where(tx => tx.Pattern != FraudPattern.None).ToLookup(tx => (tx.Pattern, tx.Campaign));
        var stored = campaigns.Where(campaign => campaign.Key.Pattern == FraudPattern.StoredCardAbuse).SelectMany(campaign => campaign).ToList();
        Assert.InRange(stored.Count(tx => known.Contains((tx.Account, tx.Merchant))) / (double)stored.Count, 0.7, 1);
        foreach (var campaign in campaigns)
        {
            SimulatedTransaction[] frauds = [.. campaign];
            long lengthMs = frauds[^1].EventTimeMs - frauds[0].EventTimeMs;
            switch (campaign.Key.Pattern)
            {
                case FraudPattern.CardTesting:
                    Assert.Single(frauds.Select(tx => tx.Merchant).Distinct());
                    Assert.Single(frauds.Select(tx => tx.Device).Distinct());
                    Assert.All(frauds, tx => Assert.InRange(tx.AmountMinor, 1, 250));
                    Assert.InRange(lengthMs, 0, DayMs / 24);
                    break;
                case FraudPattern.AccountTakeover:
                    int victim = Assert.Single(frauds.Select(tx => tx.Account).Distinct());
                    Assert.All(frauds, tx => Assert.False(tx.CardPresent));
                    Assert.All(frauds, tx => Assert.NotEqual(world.Accounts.Devices[victim], tx.Device));
                    break;
                case FraudPattern.StolenCardSpree:
                    int account = Assert.Single(frauds.Select(tx => tx.Account).Distinct());
                    Assert.All(frauds, tx => Assert.True(tx.CardPresent));
                    Assert.All(frauds, tx => Assert.True(TrafficGeography.DistanceKm(world.Accounts.HomeCities[account], world.Merchants.Cities[tx.Merchant]) >= 500));
                    Assert.InRange(lengthMs, 0, DayMs / 4);
                    break;
                case FraudPattern.SlowDrain:
                    Assert.Single(frauds.Select(tx => (tx.Account, tx.Merchant, tx.AmountMinor)).Distinct());
                    Assert.All(frauds.Zip(frauds.Skip(1)), pair => Assert.InRange(pair.Second.EventTimeMs - pair.First.EventTimeMs, 2 * DayMs, 4 * DayMs));
                    break;
                case FraudPattern.StoredCardAbuse:
                    Assert.All(frauds, tx => Assert.Equal((EntryMode.CardOnFile, 0u, -1), (tx.EntryMode, tx.Device, tx.Terminal)));
                    Assert.InRange(lengthMs, 0, DayMs / 2);
                    break;
                default:
                    Assert.All(frauds, tx => Assert.True(tx.CardPresent));
                    break;
            }
        }
    }

    [Fact]
    public void Cards_misused_after_a_compromised_terminal_were_all_seen_there()
    {
        var (transactions, _) = Everything(Weeks(8, accounts: 4_000));
        var visits = transactions.Where(tx => tx.Pattern == FraudPattern.None && tx.CardPresent).ToLookup(tx => tx.Account, tx => (tx.Terminal, tx.EventTimeMs));
        foreach (var campaign in transactions.Where(tx => tx.Pattern == FraudPattern.CompromisedTerminal).GroupBy(tx => tx.Campaign))
        {
            var common = campaign.Select(tx => visits[tx.Account].Where(visit => visit.EventTimeMs < tx.EventTimeMs).Select(visit => visit.Terminal).ToHashSet())
                .Aggregate((all, next) => [.. all.Intersect(next)]);
            Assert.NotEmpty(common);
        }
    }

    [Fact]
    public void Customers_pay_by_day_more_than_by_night_and_on_saturdays_more_than_on_tuesdays()
    {
        var (transactions, _) = Everything(Weeks(4));
        var byHour = transactions.Select(tx => DateTimeOffset.FromUnixTimeMilliseconds(tx.EventTimeMs)).ToLookup(time => time.Hour);
        Assert.True(byHour[11].Count() > 4 * byHour[3].Count());
        var byDay = byHour.SelectMany(hour => hour).ToLookup(time => time.DayOfWeek);
        Assert.True(byDay[DayOfWeek.Saturday].Count() > 1.2 * byDay[DayOfWeek.Tuesday].Count());
        Assert.InRange(transactions.Count(tx => tx.Pattern == FraudPattern.None) / (2_000 * 28.0), 1.8, 2.2);
    }

    [Fact]
    public void Every_transaction_and_label_is_accepted_by_the_decoders_of_the_contract()
    {
        var definition = ServiceDefinitionReader.Read("""{ "service": "simulated", "events": {} }"""u8).Definition!;
        var decoder = new EventDecoder(definition);
        var labelDecoder = new LabelDecoder(definition, decoder.Schema);
        var batch = new TransactionBatch(decoder.Schema, 1);
        var labels = new LabelBatch(decoder.Schema, 1);
        var headers = new EventHeaders();
        var simulator = new TrafficSimulator(Weeks(3) with { FraudRate = 0.05, FalseAlarmRate = 0.01 });
        using var json = new TrafficJsonWriter(simulator.World);
        var tx = default(SimulatedTransaction);
        while (simulator.Next(ref tx))
        {
            Assert.Equal(Refusal.None, decoder.Decode(json.Write(tx), isNull: false, headers, tx.EventTimeMs, batch));
            batch.Accept(partition: 0, offset: tx.Sequence, appendTimeMs: tx.EventTimeMs);
            string id = Encoding.UTF8.GetString(batch.TransactionIds[0]);
            Assert.Equal(tx.Sequence, TrafficJsonWriter.SequenceOf(id));
            Assert.Equal(tx.AmountMinor, batch.Integers(decoder.Schema.AmountMinor)[0]);
            Assert.Equal(tx.EventTimeMs, batch.Times(decoder.Schema.EventTime)[0]);
            batch.Clear();
            while (simulator.NextLabel(tx.EventTimeMs, out var label))
            {
                Assert.Equal(Refusal.None, labelDecoder.Decode(json.Write(label), isNull: false, headers, tx.EventTimeMs, labels));
                labels.Accept(partition: 0, offset: label.Sequence, appendTimeMs: tx.EventTimeMs);
                Assert.Equal(label.IsFraud ? 1 : 0, labels.IsFraud[0]);
                Assert.Equal(label.TransactionTimeMs, labels.Facts.Times(decoder.Schema.EventTime)[0]);
                labels.Clear();
            }
        }

        Assert.Equal(0, decoder.UnknownMembers);
    }

    [Fact]
    public void No_value_can_be_taken_for_a_card_number()
    {
        var simulator = new TrafficSimulator(Weeks(1));
        using var json = new TrafficJsonWriter(simulator.World);
        var tx = default(SimulatedTransaction);
        while (simulator.Next(ref tx))
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetString(json.Write(tx)));
            Assert.All(
                document.RootElement.EnumerateObject().Where(member => member.Value.ValueKind == JsonValueKind.String),
                member => Assert.True(member.Value.GetString()!.Length < 13 || !member.Value.GetString()!.All(char.IsAsciiDigit), member.Name));
        }
    }

    private static (List<SimulatedTransaction> Transactions, List<SimulatedLabel> Labels) Everything(TrafficOptions options)
    {
        var simulator = new TrafficSimulator(options);
        var transactions = new List<SimulatedTransaction>();
        var labels = new List<SimulatedLabel>();
        var tx = default(SimulatedTransaction);
        while (simulator.Next(ref tx))
        {
            transactions.Add(tx);
        }

        while (simulator.NextLabel(long.MaxValue, out var label))
        {
            labels.Add(label);
        }

        return (transactions, labels);
    }

    private static string Digest(TrafficOptions options)
    {
        var simulator = new TrafficSimulator(options);
        using var json = new TrafficJsonWriter(simulator.World);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var tx = default(SimulatedTransaction);
        while (simulator.Next(ref tx))
        {
            hash.AppendData(json.Write(tx));
            while (simulator.NextLabel(tx.EventTimeMs, out var label))
            {
                hash.AppendData(json.Write(label));
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
