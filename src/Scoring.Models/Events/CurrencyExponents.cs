namespace Scoring.Models.Events;

/// <summary>How many decimal digits a currency's minor unit is: 2 but for the currencies named here.</summary>
/// <remarks>ISO 4217 list one. Codes without a minor unit (precious metals, test codes) count as 2.</remarks>
public static class CurrencyExponents
{
    private static readonly double[] UnitsByExponent = [1, 10, 100, 1_000, 10_000];

    /// <summary>Digits of the minor unit, 0 to 4.</summary>
    /// <param name="alpha3">Three upper-case ASCII letters; anything else counts as 2.</param>
    public static int Of(ReadOnlySpan<byte> alpha3)
    {
        if (alpha3.Length != 3)
        {
            return 2;
        }

        return ((alpha3[0] << 16) | (alpha3[1] << 8) | alpha3[2]) switch
        {
            Bif or Clp or Djf or Gnf or Isk or Jpy or Kmf or Krw or Pyg or Rwf or Ugx or Uyi or Vnd or Vuv or Xaf or Xof or Xpf => 0,
            Bhd or Iqd or Jod or Kwd or Lyd or Omr or Tnd => 3,
            Clf or Uyw => 4,
            _ => 2,
        };
    }

    /// <summary>An amount in major units: <paramref name="amountMinor"/> divided once by a power of ten, so that it is the double nearest to the decimal amount.</summary>
    public static double Major(long amountMinor, ReadOnlySpan<byte> alpha3) => amountMinor / UnitsByExponent[Of(alpha3)];

    private const int Bif = ('B' << 16) | ('I' << 8) | 'F', Clp = ('C' << 16) | ('L' << 8) | 'P', Djf = ('D' << 16) | ('J' << 8) | 'F';
    private const int Gnf = ('G' << 16) | ('N' << 8) | 'F', Isk = ('I' << 16) | ('S' << 8) | 'K', Jpy = ('J' << 16) | ('P' << 8) | 'Y';
    private const int Kmf = ('K' << 16) | ('M' << 8) | 'F', Krw = ('K' << 16) | ('R' << 8) | 'W', Pyg = ('P' << 16) | ('Y' << 8) | 'G';
    private const int Rwf = ('R' << 16) | ('W' << 8) | 'F', Ugx = ('U' << 16) | ('G' << 8) | 'X', Uyi = ('U' << 16) | ('Y' << 8) | 'I';
    private const int Vnd = ('V' << 16) | ('N' << 8) | 'D', Vuv = ('V' << 16) | ('U' << 8) | 'V', Xaf = ('X' << 16) | ('A' << 8) | 'F';
    private const int Xof = ('X' << 16) | ('O' << 8) | 'F', Xpf = ('X' << 16) | ('P' << 8) | 'F';
    private const int Bhd = ('B' << 16) | ('H' << 8) | 'D', Iqd = ('I' << 16) | ('Q' << 8) | 'D', Jod = ('J' << 16) | ('O' << 8) | 'D';
    private const int Kwd = ('K' << 16) | ('W' << 8) | 'D', Lyd = ('L' << 16) | ('Y' << 8) | 'D', Omr = ('O' << 16) | ('M' << 8) | 'R';
    private const int Tnd = ('T' << 16) | ('N' << 8) | 'D';
    private const int Clf = ('C' << 16) | ('L' << 8) | 'F', Uyw = ('U' << 16) | ('Y' << 8) | 'W';
}
