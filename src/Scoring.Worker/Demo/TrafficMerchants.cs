namespace Scoring.Worker.Demo;

/// <summary>The merchants of the simulated world and their terminals, a column per property.</summary>
internal sealed class TrafficMerchants
{
    private const double OnlineShare = 0.25;
    private const double SubscriptionShare = 0.02;
    private const int LocalPerCityMin = 2;

    private readonly int[][] byCity = new int[TrafficGeography.Cities.Length][];
    private readonly double[][] cumulativeByCity = new double[TrafficGeography.Cities.Length][];
    private readonly int[] online;
    private readonly double[] cumulativeOnline;
    private readonly int[][] soughtByCity;
    private readonly int[] soughtOnline;
    private readonly int[] subscriptions;
    private readonly int[] testable;

    /// <summary>Founds <paramref name="count"/> merchants: local ones spread over the cities, online ones, and a few that sell subscriptions.</summary>
    public TrafficMerchants(int count, TrafficRandom random)
    {
        Count = count;
        Cities = new int[count];
        Countries = new short[count];
        Currencies = new string[count];
        Categories = new TrafficCategory[count];
        Latitudes = new double[count];
        Longitudes = new double[count];
        FirstTerminals = new int[count + 1];
        double[] popularity = new double[count];

        int subscriptionCount = Math.Max(3, (int)(count * SubscriptionShare));
        int onlineCount = Math.Max(TrafficCategory.Online.Length, (int)(count * OnlineShare));
        int localCount = count - onlineCount - subscriptionCount;
        double[] cityWeights = RunningSums(TrafficGeography.Cities, static city => city.Weight + 1);
        double[] localWeights = RunningSums(TrafficCategory.Local, static category => category.Weight);
        double[] onlineWeights = RunningSums(TrafficCategory.Online, static category => category.Weight);

        for (int merchant = 0; merchant < count; merchant++)
        {
            popularity[merchant] = random.LogNormal(1, 1);
            FirstTerminals[merchant + 1] = FirstTerminals[merchant];
            if (merchant < localCount)
            {
                // The first ones give every city its minimum, one of them with goods that thieves seek.
                bool seeding = merchant < LocalPerCityMin * TrafficGeography.Cities.Length;
                int city = seeding ? merchant % TrafficGeography.Cities.Length : random.Weighted(cityWeights);
                bool sought = seeding && merchant < TrafficGeography.Cities.Length;
                Categories[merchant] = sought ? Array.Find(TrafficCategory.Local, static category => category.IsSoughtByThieves)! : TrafficCategory.Local[random.Weighted(localWeights)];
                Settle(merchant, city, random);
                FirstTerminals[merchant + 1] += random.Among(1, 4);
            }
            else
            {
                int order = merchant - localCount;
                Categories[merchant] = order >= onlineCount ? TrafficCategory.Subscription
                    : TrafficCategory.Online[order < TrafficCategory.Online.Length ? order : random.Weighted(onlineWeights)];
                OpenOnline(merchant, random.Weighted(cityWeights), random);
            }
        }

        TerminalCount = FirstTerminals[count];
        int[] all = [.. Enumerable.Range(0, count)];
        online = Array.FindAll(all, m => Cities[m] < 0 && Categories[m] != TrafficCategory.Subscription);
        cumulativeOnline = RunningSums(online, m => popularity[m]);
        subscriptions = Array.FindAll(all, m => Categories[m] == TrafficCategory.Subscription);
        soughtOnline = Array.FindAll(online, m => Categories[m].Delivers);
        testable = Array.FindAll(online, m => Categories[m].Code is "5818" or "5999");
        soughtByCity = new int[TrafficGeography.Cities.Length][];
        for (int city = 0; city < byCity.Length; city++)
        {
            byCity[city] = Array.FindAll(all, m => Cities[m] == city);
            cumulativeByCity[city] = RunningSums(byCity[city], m => popularity[m]);
            soughtByCity[city] = Array.FindAll(byCity[city], m => Categories[m].IsSoughtByThieves);
        }
    }

    /// <summary>Number of merchants.</summary>
    public int Count { get; }

    /// <summary>Number of terminals of all of them.</summary>
    public int TerminalCount { get; }

    /// <summary>City of each merchant; -1 online.</summary>
    public int[] Cities { get; }

    /// <summary>Country of each merchant, a <see cref="TrafficGeography.Countries"/> index.</summary>
    public short[] Countries { get; }

    /// <summary>Currency each merchant charges in.</summary>
    public string[] Currencies { get; }

    /// <summary>What each merchant sells.</summary>
    public TrafficCategory[] Categories { get; }

    /// <summary>Degrees north; NaN online.</summary>
    public double[] Latitudes { get; }

    /// <summary>Degrees east; NaN online.</summary>
    public double[] Longitudes { get; }

    /// <summary>First terminal of each merchant; the next merchant's is the end. One more than there are merchants.</summary>
    public int[] FirstTerminals { get; }

    /// <summary>A merchant of a city, by popularity.</summary>
    public int AnyIn(int city, TrafficRandom random) => byCity[city][random.Weighted(cumulativeByCity[city])];

    /// <summary>An online merchant, by popularity.</summary>
    public int AnyOnline(TrafficRandom random) => online[random.Weighted(cumulativeOnline)];

    /// <summary>A merchant of a city that sells what is easy to sell on.</summary>
    public int SoughtIn(int city, TrafficRandom random) => soughtByCity[city][random.Below(soughtByCity[city].Length)];

    /// <summary>An online merchant that delivers what is easy to sell on.</summary>
    public int SoughtOnline(TrafficRandom random) => soughtOnline[random.Below(soughtOnline.Length)];

    /// <summary>An online merchant that takes small amounts without questions.</summary>
    public int Testable(TrafficRandom random) => testable[random.Below(testable.Length)];

    /// <summary>A merchant of subscriptions. The honest ones and the others are the same few.</summary>
    public int Subscription(TrafficRandom random) => subscriptions[random.Below(subscriptions.Length)];

    /// <summary>One of a merchant's terminals, or -1 online.</summary>
    public int TerminalOf(int merchant, TrafficRandom random)
    {
        int count = FirstTerminals[merchant + 1] - FirstTerminals[merchant];
        return count == 0 ? -1 : FirstTerminals[merchant] + random.Below(count);
    }

    private void Settle(int merchant, int city, TrafficRandom random)
    {
        var place = TrafficGeography.Cities[city];
        Cities[merchant] = city;
        Countries[merchant] = TrafficGeography.CityCountries[city];
        Currencies[merchant] = place.Currency;
        Latitudes[merchant] = Math.Round(place.Latitude + (0.04 * random.Normal()), 4);
        Longitudes[merchant] = Math.Round(place.Longitude + (0.06 * random.Normal()), 4);
    }

    private void OpenOnline(int merchant, int seatCity, TrafficRandom random)
    {
        Cities[merchant] = -1;
        Latitudes[merchant] = double.NaN;
        Longitudes[merchant] = double.NaN;

        // Some shops sell from where taxes are low, and charge in the currency of most of their customers.
        bool offshore = random.Chance(0.25);
        Countries[merchant] = offshore ? TrafficGeography.CountryIndex(OffshoreCountries[random.Below(OffshoreCountries.Length)]) : TrafficGeography.CityCountries[seatCity];
        Currencies[merchant] = offshore ? "EUR" : TrafficGeography.Cities[seatCity].Currency;
    }

    private static readonly string[] OffshoreCountries = ["IE", "LU", "CY", "MT", "HK", "US"];

    private static double[] RunningSums<T>(T[] items, Func<T, double> weight)
    {
        var sums = new double[items.Length];
        double sum = 0;
        for (int i = 0; i < items.Length; i++)
        {
            sums[i] = sum += weight(items[i]);
        }

        return sums;
    }
}
