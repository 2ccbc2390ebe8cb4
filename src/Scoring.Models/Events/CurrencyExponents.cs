using Scoring.Models.Events.Values;

namespace Scoring.Models.Events;

/// <summary>How many decimal digits a currency's minor unit has (ISO 4217 list one).</summary>
public static class CurrencyExponents
{
    private const int Usual = 2;

    private static readonly double[] UnitsByExponent = [1, 10, 100, 1_000, 10_000];

    /// <summary>Digits of the minor unit, 0 to 4.</summary>
    /// <param name="alpha3">Three upper-case ASCII letters; anything else counts as 2.</param>
    public static int Of(ReadOnlySpan<byte> alpha3) => Currencies.Exponent(alpha3) is >= 0 and var exponent ? exponent : Usual;

    /// <summary>An amount in major units: <paramref name="amountMinor"/> divided once by a power of ten, so that it is the double nearest to the decimal amount.</summary>
    public static double Major(long amountMinor, ReadOnlySpan<byte> alpha3) => amountMinor / UnitsByExponent[Of(alpha3)];
}
