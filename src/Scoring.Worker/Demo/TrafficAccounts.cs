namespace Scoring.Worker.Demo;

/// <summary>The customers of the simulated world and their habits, a column per property.</summary>
internal sealed class TrafficAccounts
{
    /// <summary>Shops around the corner that each customer goes to most.</summary>
    public const int LocalHabits = 8;

    /// <summary>Online shops that each customer uses most.</summary>
    public const int OnlineHabits = 5;

    private readonly int[] localHabits;
    private readonly int[] onlineHabits;

    /// <summary>Moves <paramref name="options"/>' customers into the cities.</summary>
    public TrafficAccounts(TrafficOptions options, TrafficMerchants merchants, TrafficRandom random)
    {
        Count = options.Accounts;
        HomeCities = new int[Count];
        PaymentsPerDay = new double[Count];
        SpendFactors = new double[Count];
        OnlineShares = new double[Count];
        OffsetHours = new int[Count];
        Devices = new uint[Count];
        SecondDevices = new uint[Count];
        CreatedAtMs = new long[Count];
        IsVisa = new bool[Count];
        TripCities = new int[Count];
        TripEndsMs = new long[Count];
        localHabits = new int[Count * LocalHabits];
        onlineHabits = new int[Count * OnlineHabits];

        double[] cityWeights = new double[TrafficGeography.HomeCityCount];
        for (int city = 0; city < cityWeights.Length; city++)
        {
            cityWeights[city] = TrafficGeography.Cities[city].Weight + (city == 0 ? 0 : cityWeights[city - 1]);
        }

        long startMs = options.Start.ToUnixTimeMilliseconds();
        for (int account = 0; account < Count; account++)
        {
            int city = random.Weighted(cityWeights);
            HomeCities[account] = city;
            PaymentsPerDay[account] = options.TransactionsPerAccountPerDay * Math.Clamp(random.LogNormal(RateMedian, RateSigma), 0.1, 5);
            SpendFactors[account] = random.LogNormal(1, 0.35);
            OnlineShares[account] = random.Between(0.08, 0.45);
            OffsetHours[account] = TrafficGeography.Cities[city].UtcOffsetHours - random.Among(-1, 3);
            Devices[account] = (uint)random.NextBits() | 1;
            SecondDevices[account] = random.Chance(0.3) ? (uint)random.NextBits() | 1 : Devices[account];
            CreatedAtMs[account] = startMs - (long)(random.Between(5, 2_500) * 86_400_000);
            IsVisa[account] = random.Chance(0.6);
            TripCities[account] = -1;
            for (int i = 0; i < LocalHabits; i++)
            {
                localHabits[(account * LocalHabits) + i] = merchants.AnyIn(city, random);
            }

            for (int i = 0; i < OnlineHabits; i++)
            {
                onlineHabits[(account * OnlineHabits) + i] = merchants.AnyOnline(random);
            }
        }
    }

    // The median that gives a log-normal of this spread the mean 1.
    private const double RateSigma = 0.6;
    private static readonly double RateMedian = Math.Exp(-RateSigma * RateSigma / 2);

    /// <summary>Number of accounts.</summary>
    public int Count { get; }

    /// <summary>City each customer lives in.</summary>
    public int[] HomeCities { get; }

    /// <summary>Honest payments on an average day.</summary>
    public double[] PaymentsPerDay { get; }

    /// <summary>How much more than others each customer spends.</summary>
    public double[] SpendFactors { get; }

    /// <summary>Share of payments made online.</summary>
    public double[] OnlineShares { get; }

    /// <summary>What to add to UTC for the customer's day: the time zone, less the hours they get up later than others.</summary>
    public int[] OffsetHours { get; }

    /// <summary>The phone; replaced now and then.</summary>
    public uint[] Devices { get; }

    /// <summary>Another device, the phone again for most.</summary>
    public uint[] SecondDevices { get; }

    /// <summary>When the account was opened, ms since 1970 UTC.</summary>
    public long[] CreatedAtMs { get; }

    /// <summary>Whether the card is a Visa card; else it is a Mastercard.</summary>
    public bool[] IsVisa { get; }

    /// <summary>City the customer travels in; -1 at home.</summary>
    public int[] TripCities { get; }

    /// <summary>When the customer comes home.</summary>
    public long[] TripEndsMs { get; }

    /// <summary>Country the card was issued in, a <see cref="TrafficGeography.Countries"/> index.</summary>
    public short HomeCountry(int account) => TrafficGeography.CityCountries[HomeCities[account]];

    /// <summary>One of the customer's usual shops; the first are visited most.</summary>
    public int UsualShop(int account, TrafficRandom random) => localHabits[(account * LocalHabits) + Favoured(LocalHabits, random)];

    /// <summary>One of the customer's usual online shops; the first are visited most.</summary>
    public int UsualOnlineShop(int account, TrafficRandom random) => onlineHabits[(account * OnlineHabits) + Favoured(OnlineHabits, random)];

    private static int Favoured(int count, TrafficRandom random)
    {
        double u = random.NextDouble();
        return (int)(count * u * u);
    }
}
