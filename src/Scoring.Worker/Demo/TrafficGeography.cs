namespace Scoring.Worker.Demo;

/// <summary>A city where merchants are, and where customers may live.</summary>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="Currency">ISO 4217 code its merchants charge in. Shops outside Europe bill visitors in dollars, so that amounts stay comparable.</param>
/// <param name="Latitude">Degrees north.</param>
/// <param name="Longitude">Degrees east.</param>
/// <param name="UtcOffsetHours">Winter time; the simulated world has no summer time.</param>
/// <param name="Weight">Relative number of customers who live there; 0 for places that are only visited.</param>
internal sealed record TrafficCity(string Country, string Currency, double Latitude, double Longitude, int UtcOffsetHours, double Weight);

/// <summary>The places of the simulated world.</summary>
internal static class TrafficGeography
{
    /// <summary>Cities, first those where customers live.</summary>
    public static readonly TrafficCity[] Cities =
    [
        new("GB", "GBP", 51.507, -0.128, 0, 9), // London
        new("FR", "EUR", 48.857, 2.352, 1, 7), // Paris
        new("DE", "EUR", 52.520, 13.405, 1, 5), // Berlin
        new("ES", "EUR", 40.417, -3.704, 1, 5), // Madrid
        new("IT", "EUR", 41.893, 12.483, 1, 4), // Rome
        new("DE", "EUR", 48.137, 11.575, 1, 3), // Munich
        new("NL", "EUR", 52.370, 4.895, 1, 3), // Amsterdam
        new("IT", "EUR", 45.464, 9.190, 1, 3), // Milan
        new("ES", "EUR", 41.385, 2.173, 1, 3), // Barcelona
        new("GB", "GBP", 53.480, -2.243, 0, 3), // Manchester
        new("AT", "EUR", 48.208, 16.373, 1, 2), // Vienna
        new("BE", "EUR", 50.850, 4.352, 1, 2), // Brussels
        new("FR", "EUR", 45.764, 4.836, 1, 2), // Lyon
        new("CH", "CHF", 47.377, 8.541, 1, 2), // Zurich
        new("IE", "EUR", 53.350, -6.260, 0, 2), // Dublin
        new("PT", "EUR", 38.722, -9.139, 0, 2), // Lisbon
        new("US", "USD", 40.713, -74.006, -5, 0), // New York
        new("US", "USD", 25.762, -80.192, -5, 0), // Miami
        new("TR", "USD", 41.008, 28.978, 3, 0), // Istanbul
        new("AE", "USD", 25.205, 55.271, 4, 0), // Dubai
        new("TH", "USD", 13.756, 100.502, 7, 0), // Bangkok
        new("BR", "USD", -23.551, -46.633, -3, 0), // Sao Paulo
        new("RO", "EUR", 44.427, 26.103, 2, 0), // Bucharest
    ];

    /// <summary>Every country of the simulated world; indices of it stand for countries.</summary>
    public static readonly string[] Countries =
    [
        "GB", "FR", "DE", "ES", "IT", "NL", "AT", "BE", "CH", "IE", "PT",
        "US", "TR", "AE", "TH", "BR", "RO", "LU", "HK", "NG", "UA", "VN", "CY", "MT",
    ];

    /// <summary>Countries from which strangers come in, as indices.</summary>
    public static readonly short[] StrangersCountries = [CountryIndex("US"), CountryIndex("BR"), CountryIndex("RO"), CountryIndex("NG"), CountryIndex("UA"), CountryIndex("VN"), CountryIndex("TR")];

    /// <summary>Number of cities where customers live.</summary>
    public static readonly int HomeCityCount = Array.FindIndex(Cities, static city => city.Weight == 0);

    /// <summary>Country of each city, as an index.</summary>
    public static readonly short[] CityCountries = Array.ConvertAll(Cities, static city => CountryIndex(city.Country));

    /// <summary>The index of a country in <see cref="Countries"/>.</summary>
    public static short CountryIndex(string country) => (short)Array.IndexOf(Countries, country);

    /// <summary>Distance of two cities along the Earth's surface.</summary>
    public static double DistanceKm(int cityA, int cityB)
    {
        var (a, b) = (Cities[cityA], Cities[cityB]);
        const double Radians = Math.PI / 180;
        double sinLatitude = Math.Sin((b.Latitude - a.Latitude) * Radians / 2);
        double sinLongitude = Math.Sin((b.Longitude - a.Longitude) * Radians / 2);
        double h = (sinLatitude * sinLatitude) + (Math.Cos(a.Latitude * Radians) * Math.Cos(b.Latitude * Radians) * sinLongitude * sinLongitude);
        return 2 * 6371 * Math.Asin(Math.Sqrt(h));
    }
}
