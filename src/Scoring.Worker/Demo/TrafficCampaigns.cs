using System.Runtime.InteropServices;

namespace Scoring.Worker.Demo;

/// <summary>The frauds: when campaigns of the patterns begin, and the transactions that each of them plans.</summary>
/// <remarks>Each pattern's campaigns begin at random, as often as its share of the fraud rate asks for, but never close on each other: a few days show every pattern.</remarks>
internal sealed class TrafficCampaigns
{
    private const long SecondMs = 1_000;
    private const long MinuteMs = 60 * SecondMs;
    private const long HourMs = 60 * MinuteMs;
    private const long DayMs = 24 * HourMs;
    private const double FarFromHomeKm = 500;
    private const double RegularShare = 0.4;
    private const double DeadCardShare = 0.4;
    private const int DrainDaysApart = 3;
    private const int DrainCharges = 12;

    // Share of fraudulent transactions, and how many a campaign has on average (counted from the plans below). The last one comes on top.
    private static readonly (FraudPattern Pattern, double Share, double Size)[] Patterns =
    [
        (FraudPattern.CardTesting, 0.26, 10),
        (FraudPattern.AccountTakeover, 0.20, 5.5),
        (FraudPattern.StolenCardSpree, 0.22, 6.5),
        (FraudPattern.CompromisedTerminal, 0.17, 14),
        (FraudPattern.SlowDrain, 0.15, DrainCharges),
        (FraudPattern.StoredCardAbuse, 0.45, 10),
    ];

    private readonly TrafficWorld world;
    private readonly TrafficPlan plan;
    private readonly TrafficRandom random;
    private readonly double[] meanGapMs = new double[Patterns.Length];
    private readonly long[] startsMs = new long[Patterns.Length];
    private readonly Dictionary<int, CompromisedTerminal> compromised = [];
    private int campaignCount;

    /// <summary>Lays out campaigns from the start of <paramref name="options"/> on; some drains are under way already.</summary>
    public TrafficCampaigns(TrafficOptions options, TrafficWorld world, TrafficPlan plan, TrafficRandom random)
    {
        this.world = world;
        this.plan = plan;
        this.random = random;
        long startMs = options.Start.ToUnixTimeMilliseconds();
        double honestPerDay = options.Accounts * options.TransactionsPerAccountPerDay;
        double fraudsPerDay = honestPerDay * options.FraudRate / (1 - options.FraudRate);
        for (int i = 0; i < Patterns.Length; i++)
        {
            double perDay = fraudsPerDay * Patterns[i].Share / Patterns[i].Size;
            meanGapMs[i] = perDay > 0 ? DayMs / perDay : double.PositiveInfinity;
            startsMs[i] = Patterns[i].Pattern == FraudPattern.StoredCardAbuse
                ? options.StoredCardAbuseBegins?.ToUnixTimeMilliseconds() ?? long.MaxValue
                : NextStart(i, startMs);
            if (Patterns[i].Pattern == FraudPattern.SlowDrain)
            {
                for (double under = random.Exponential(); under < perDay * DrainDaysApart * DrainCharges; under += random.Exponential())
                {
                    Drain(startMs - (DrainDaysApart * DayMs), ++campaignCount, random.Among(0, DrainCharges - 1));
                }
            }
        }
    }

    /// <summary>When the next campaign begins.</summary>
    public long NextMs
    {
        get
        {
            long next = startsMs[0];
            for (int i = 1; i < startsMs.Length; i++)
            {
                next = Math.Min(next, startsMs[i]);
            }

            return next;
        }
    }

    /// <summary>Begins the campaign that is next.</summary>
    public void BeginNext()
    {
        int next = Array.IndexOf(startsMs, NextMs);
        long nowMs = startsMs[next];
        startsMs[next] = NextStart(next, nowMs);
        int campaign = ++campaignCount;
        switch (Patterns[next].Pattern)
        {
            case FraudPattern.CardTesting:
                TestCards(nowMs, campaign);
                break;
            case FraudPattern.AccountTakeover:
                TakeOver(nowMs, campaign);
                break;
            case FraudPattern.StolenCardSpree:
                GoOnSpree(nowMs, campaign);
                break;
            case FraudPattern.CompromisedTerminal:
                CompromiseTerminal(nowMs, campaign);
                break;
            case FraudPattern.SlowDrain:
                Drain(nowMs, campaign, DrainCharges - 1 + random.Among(-4, 4));
                break;
            default:
                ChargeStoredCards(nowMs, campaign);
                break;
        }
    }

    /// <summary>Lets the owner of a compromised terminal see an honest payment: the card is used again later.</summary>
    public void Observe(SimulatedTransaction payment)
    {
        if (compromised.Count == 0 || payment.Pattern != FraudPattern.None || !compromised.ContainsKey(payment.Terminal))
        {
            return;
        }

        ref var terminal = ref CollectionsMarshal.GetValueRefOrNullRef(compromised, payment.Terminal);
        if (payment.EventTimeMs >= terminal.EndsMs || terminal.VictimsLeft-- <= 0)
        {
            compromised.Remove(payment.Terminal);
        }
        else if (terminal.Skims)
        {
            UseElsewhere(payment, terminal.Campaign);
        }
        else
        {
            ChargeAgain(payment, terminal.Campaign);
        }
    }

    // Many cards at one merchant, one try each, or many tries with one card; from one device.
    private void TestCards(long nowMs, int campaign)
    {
        bool manyCards = random.Chance(0.6);
        int tries = manyCards ? random.Among(7, 16) : random.Among(5, 10);
        int account = AnyAccount();
        var attempt = Online(FraudPattern.CardTesting, campaign, account, world.Merchants.Testable(random));
        attempt.EventTimeMs = nowMs;
        for (int i = 0; i < tries; i++)
        {
            attempt.AmountMinor = random.Among(30, 250);
            attempt.Declined = random.Chance(DeadCardShare);
            attempt.Account = manyCards ? AnyAccount() : account;
            plan.Add(attempt);
            attempt.EventTimeMs += (long)random.Between(4 * SecondMs, manyCards ? 60 * SecondMs : 90 * SecondMs);
        }
    }

    // Another device in another country buys what sells on, sent elsewhere, within hours.
    private void TakeOver(long nowMs, int campaign)
    {
        int account = AnyAccount();
        var purchase = Online(FraudPattern.AccountTakeover, campaign, account, merchant: 0);
        purchase.EventTimeMs = nowMs;
        purchase.ShippingCountry = random.Chance(0.7) ? purchase.IpCountry : world.Accounts.HomeCountry(account);
        for (int left = random.Among(3, 8); left > 0; left--)
        {
            purchase.Merchant = world.Merchants.SoughtOnline(random);
            purchase.AmountMinor = HighAmount(account, purchase.Merchant, 1.5, 5);
            plan.Add(purchase);
            purchase.EventTimeMs += (long)random.Between(4 * MinuteMs, 70 * MinuteMs);
        }
    }

    // The card itself, far away, from shop to shop.
    private void GoOnSpree(long nowMs, int campaign)
    {
        int account = AnyAccount();
        int home = world.Accounts.HomeCities[account];
        int city = random.Below(TrafficGeography.Cities.Length);
        while (TrafficGeography.DistanceKm(home, city) < FarFromHomeKm)
        {
            city = random.Below(TrafficGeography.Cities.Length);
        }

        long timeMs = nowMs;
        for (int left = random.Among(4, 9); left > 0; left--)
        {
            int merchant = world.Merchants.SoughtIn(city, random);
            var purchase = InShop(FraudPattern.StolenCardSpree, campaign, account, merchant, world.Merchants.TerminalOf(merchant, random));
            purchase.EventTimeMs = timeMs;
            purchase.AmountMinor = HighAmount(account, merchant, 1.2, 4);
            plan.Add(purchase);
            timeMs += (long)random.Between(4 * MinuteMs, 25 * MinuteMs);
        }
    }

    // A terminal that somebody uses; busy ones are found more often. Either it skims for frauds elsewhere, or its owner charges twice.
    private void CompromiseTerminal(long nowMs, int campaign)
    {
        bool skims = random.Chance(0.6);
        int victims = skims ? random.Among(6, 14) : random.Among(8, 18);
        int merchant = world.Accounts.UsualShop(AnyAccount(), random);
        int terminal = world.Merchants.TerminalOf(merchant, random);
        compromised[terminal] = new CompromisedTerminal(campaign, nowMs + (14 * DayMs), skims) { VictimsLeft = victims };
    }

    private void UseElsewhere(SimulatedTransaction seen, int campaign)
    {
        int city = world.Accounts.HomeCities[seen.Account];
        long timeMs = seen.EventTimeMs + (long)((1 + (4 * random.Exponential())) * DayMs);
        for (int left = random.Among(1, 2); left > 0; left--)
        {
            int merchant = world.Merchants.AnyIn(city, random);
            var copy = InShop(FraudPattern.CompromisedTerminal, campaign, seen.Account, merchant, world.Merchants.TerminalOf(merchant, random));
            copy.EntryMode = EntryMode.Magstripe;
            copy.Verification = CardholderVerification.Signature;
            copy.EventTimeMs = timeMs;
            copy.AmountMinor = HighAmount(seen.Account, merchant, 0.8, 3);
            plan.Add(copy);
            timeMs += (long)random.Between(20 * MinuteMs, 20 * HourMs);
        }
    }

    private void ChargeAgain(SimulatedTransaction seen, int campaign)
    {
        var again = InShop(FraudPattern.CompromisedTerminal, campaign, seen.Account, seen.Merchant, seen.Terminal);
        again.EventTimeMs = seen.EventTimeMs + (long)random.Between(2 * HourMs, 48 * HourMs);
        again.AmountMinor = HighAmount(seen.Account, seen.Merchant, 0.7, 2.5);
        again.EntryMode = EntryMode.Magstripe;
        again.Verification = CardholderVerification.None;
        plan.Add(again);
    }

    // A subscription that nobody asked for: small enough to be overlooked.
    private void Drain(long nowMs, int campaign, int repeats)
    {
        var charge = new SimulatedTransaction
        {
            Pattern = FraudPattern.SlowDrain,
            Campaign = campaign,
            Account = AnyAccount(),
            Merchant = world.Merchants.Subscription(random),
            EventTimeMs = nowMs + (long)random.Between(DrainDaysApart * DayMs, (DrainDaysApart * DayMs) + DayMs),
            AmountMinor = random.Among(190, 1_490),
            Terminal = -1,
            IpCountry = -1,
            ShippingCountry = -1,
            EntryMode = EntryMode.CardOnFile,
        };
        plan.Add(charge, (DrainDaysApart * DayMs) + (long)random.Between(-12 * HourMs, 12 * HourMs), repeats);
    }

    // Who has broken into a payment provider holds the cards of many shops' customers: each is charged once, where its owner buys too.
    private void ChargeStoredCards(long nowMs, int campaign)
    {
        long timeMs = nowMs;
        for (int left = random.Among(7, 13); left > 0; left--)
        {
            int account = AnyAccount();
            plan.Add(new SimulatedTransaction
            {
                Pattern = FraudPattern.StoredCardAbuse,
                Campaign = campaign,
                Account = account,
                Merchant = world.Accounts.UsualOnlineShop(account, random),
                EventTimeMs = timeMs,
                AmountMinor = (long)(100 * world.Accounts.SpendFactors[account] * random.Between(25, 90)),
                Terminal = -1,
                IpCountry = -1,
                ShippingCountry = -1,
                EntryMode = EntryMode.CardOnFile,
            });
            timeMs += (long)random.Between(2 * MinuteMs, 40 * MinuteMs);
        }
    }

    private SimulatedTransaction Online(FraudPattern pattern, int campaign, int account, int merchant) => new()
    {
        Pattern = pattern,
        Campaign = campaign,
        Account = account,
        Merchant = merchant,
        Terminal = -1,
        Device = (uint)random.NextBits() | 1,
        IpCountry = random.Chance(0.85) ? TrafficGeography.StrangersCountries[random.Below(TrafficGeography.StrangersCountries.Length)] : world.Accounts.HomeCountry(account),
        ShippingCountry = -1,
        EntryMode = EntryMode.Ecommerce,
        Authentication = random.Chance(0.75) ? OnlineAuthentication.Absent : OnlineAuthentication.Attempted,
    };

    private SimulatedTransaction InShop(FraudPattern pattern, int campaign, int account, int merchant, int terminal) => new()
    {
        Pattern = pattern,
        Campaign = campaign,
        Account = account,
        Merchant = merchant,
        Terminal = terminal,
        IpCountry = -1,
        ShippingCountry = -1,
        EntryMode = random.Chance(0.5) ? EntryMode.Contactless : random.Chance(0.5) ? EntryMode.Chip : EntryMode.Magstripe,
        Verification = random.Chance(0.6) ? CardholderVerification.None : CardholderVerification.Signature,
    };

    private int AnyAccount() => random.Below(world.Accounts.Count);

    private long HighAmount(int account, int merchant, double fromTimes, double toTimes) => Math.Max(500, (long)(100
        * world.Accounts.SpendFactors[account]
        * random.LogNormal(world.Merchants.Categories[merchant].AmountMedian, 0.4)
        * random.Between(fromTimes, toTimes)));

    private long NextStart(int pattern, long fromMs)
    {
        // A rate near zero asks for campaigns beyond any time there is: never.
        double gapMs = (RegularShare + ((1 - RegularShare) * random.Exponential())) * meanGapMs[pattern];
        return gapMs < long.MaxValue / 4 ? fromMs + 1 + (long)gapMs : long.MaxValue;
    }

    [StructLayout(LayoutKind.Auto)]
    private record struct CompromisedTerminal(int Campaign, long EndsMs, bool Skims)
    {
        public int VictimsLeft { get; set; }
    }
}
