namespace Scoring.Worker.Demo;

/// <summary>What honest customers do, which includes things that look like fraud: journeys, new phones, large purchases, shops never visited before.</summary>
internal sealed class TrafficHabits(TrafficWorld world, TrafficRandom random)
{
    private const long MinuteMs = 60_000;
    private const long DayMs = 86_400_000;
    private const double FollowUpShare = 0.12;
    private const double JourneyChance = 0.004;
    private const double NewPhoneChance = 0.002;
    private const double DeclinedShare = 0.02;
    private const double ContactlessLimit = 50;

    private readonly TrafficAccounts accounts = world.Accounts;
    private readonly TrafficMerchants merchants = world.Merchants;

    /// <summary>When an account pays next.</summary>
    public long NextTime(int account, long nowMs)
    {
        // One shop leads to the next one; the others keep to the rhythm, a little slower so that the daily number holds.
        if (random.Chance(FollowUpShare))
        {
            return nowMs + (long)random.Between(3 * MinuteMs, 40 * MinuteMs);
        }

        return FirstTime(account, nowMs);
    }

    /// <summary>When an account pays first after <paramref name="nowMs"/>, by its rhythm alone.</summary>
    public long FirstTime(int account, long nowMs) => TrafficRhythm.After(
        nowMs, random.Exponential() * DayMs / (accounts.PaymentsPerDay[account] * (1 - FollowUpShare)), accounts.OffsetHours[account]);

    /// <summary>The payment that an account makes now.</summary>
    public void Pay(int account, long nowMs, out SimulatedTransaction payment)
    {
        payment = new SimulatedTransaction { Account = account, EventTimeMs = nowMs };
        if (accounts.TripCities[account] >= 0 && nowMs >= accounts.TripEndsMs[account])
        {
            accounts.TripCities[account] = -1;
        }
        else if (accounts.TripCities[account] < 0 && random.Chance(JourneyChance))
        {
            accounts.TripCities[account] = random.Below(TrafficGeography.Cities.Length);
            accounts.TripEndsMs[account] = nowMs + (long)random.Between(2 * DayMs, 9 * DayMs);
        }

        payment.Declined = random.Chance(DeclinedShare);
        if (random.Chance(accounts.OnlineShares[account]))
        {
            PayOnline(ref payment);
        }
        else
        {
            PayInShop(ref payment);
        }
    }

    /// <summary>A customer's subscription: the same amount every month, or every week for a few.</summary>
    public void Subscribe(int account, long startMs, TrafficPlan plan)
    {
        int days = random.Chance(0.2) ? 7 : 30;
        int merchant = random.Chance(0.15) ? merchants.Subscription(random) : accounts.UsualOnlineShop(account, random);
        var first = new SimulatedTransaction
        {
            Account = account,
            Merchant = merchant,
            EventTimeMs = startMs + (long)random.Between(0, days * DayMs),
            AmountMinor = (100 * (long)Math.Max(2, random.LogNormal(11, 0.5))) + 99,
            Terminal = -1,
            IpCountry = -1,
            ShippingCountry = -1,
            EntryMode = EntryMode.CardOnFile,
        };
        plan.Add(first, days * DayMs, int.MaxValue);
    }

    private void PayInShop(ref SimulatedTransaction payment)
    {
        int account = payment.Account;
        bool away = accounts.TripCities[account] >= 0;
        int city = away ? accounts.TripCities[account] : accounts.HomeCities[account];
        payment.Merchant = !away && random.Chance(0.8) ? accounts.UsualShop(account, random) : merchants.AnyIn(city, random);
        payment.Terminal = merchants.TerminalOf(payment.Merchant, random);
        payment.IpCountry = -1;
        payment.ShippingCountry = -1;
        var category = merchants.Categories[payment.Merchant];
        payment.AmountMinor = Amount(account, category);
        if (category.IsCashMachine)
        {
            payment.EntryMode = EntryMode.Chip;
            payment.Verification = CardholderVerification.Pin;
        }
        else if (random.Chance(0.25))
        {
            payment.EntryMode = EntryMode.Contactless;
            payment.Verification = CardholderVerification.Device;
        }
        else if (payment.AmountMinor < 100 * ContactlessLimit && random.Chance(0.75))
        {
            payment.EntryMode = EntryMode.Contactless;
            payment.Verification = CardholderVerification.None;
        }
        else
        {
            payment.EntryMode = random.Chance(0.03) ? EntryMode.Magstripe : EntryMode.Chip;
            payment.Verification = payment.EntryMode == EntryMode.Magstripe || random.Chance(0.04) ? CardholderVerification.Signature : CardholderVerification.Pin;
        }
    }

    private void PayOnline(ref SimulatedTransaction payment)
    {
        int account = payment.Account;
        bool usual = random.Chance(0.75);
        payment.Merchant = usual ? accounts.UsualOnlineShop(account, random) : merchants.AnyOnline(random);
        payment.Terminal = -1;
        var category = merchants.Categories[payment.Merchant];
        payment.AmountMinor = Amount(account, category);
        if (random.Chance(NewPhoneChance))
        {
            accounts.Devices[account] = (uint)random.NextBits() | 1;
        }

        payment.Device = random.Chance(0.8) ? accounts.Devices[account] : accounts.SecondDevices[account];
        payment.IpCountry = accounts.TripCities[account] >= 0 ? TrafficGeography.CityCountries[accounts.TripCities[account]] : accounts.HomeCountry(account);
        payment.ShippingCountry = !category.Delivers ? (short)-1
            : random.Chance(0.98) ? accounts.HomeCountry(account)
            : TrafficGeography.CityCountries[random.Below(TrafficGeography.HomeCityCount)];
        payment.EntryMode = usual && random.Chance(0.5) ? EntryMode.CardOnFile : EntryMode.Ecommerce;
        payment.Authentication = payment.EntryMode == EntryMode.CardOnFile || random.Chance(0.3) ? OnlineAuthentication.Absent
            : random.Chance(0.65) ? OnlineAuthentication.Frictionless
            : random.Chance(0.85) ? OnlineAuthentication.Challenged
            : OnlineAuthentication.Attempted;
    }

    private long Amount(int account, TrafficCategory category)
    {
        double amount = random.LogNormal(category.AmountMedian * accounts.SpendFactors[account], category.AmountSigma);
        return category.IsCashMachine
            ? 1_000 * Math.Clamp((long)(amount / 10), 1, 60)
            : Math.Clamp((long)(amount * 100), 50, 2_000_000);
    }
}
