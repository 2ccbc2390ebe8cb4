namespace Scoring.Models.Events.Values;

/// <summary>ISO 4217: alpha-3 codes, numeric codes, and how many digits the minor unit has.</summary>
/// <remarks>List of 2026, with codes that ended lately and still stand in histories. Metals and test codes, which have no minor unit, are left out.</remarks>
public static class Currencies
{
    // Code, number (--- where another currency has it now), exponent unless it is 2.
    private const string Rows = """
        AED784 AFN971 ALL008 AMD051 ANG--- AOA973 ARS032 AUD036 AWG533 AZN944 BAM977 BBD052
        BDT050 BGN975 BHD048/3 BIF108/0 BMD060 BND096 BOB068 BOV984 BRL986 BSD044 BTN064 BWP072
        BYN933 BZD084 CAD124 CDF976 CHE947 CHF756 CHW948 CLF990/4 CLP152/0 CNY156 COP170 COU970
        CRC188 CUC931 CUP192 CVE132 CZK203 DJF262/0 DKK208 DOP214 DZD012 EGP818 ERN232 ETB230
        EUR978 FJD242 FKP238 GBP826 GEL981 GHS936 GIP292 GMD270 GNF324/0 GTQ320 GYD328 HKD344
        HNL340 HRK191 HTG332 HUF348 IDR360 ILS376 INR356 IQD368/3 IRR364 ISK352/0 JMD388 JOD400/3
        JPY392/0 KES404 KGS417 KHR116 KMF174/0 KPW408 KRW410/0 KWD414/3 KYD136 KZT398 LAK418 LBP422
        LKR144 LRD430 LSL426 LYD434/3 MAD504 MDL498 MGA969 MKD807 MMK104 MNT496 MOP446 MRU929
        MUR480 MVR462 MWK454 MXN484 MXV979 MYR458 MZN943 NAD516 NGN566 NIO558 NOK578 NPR524
        NZD554 OMR512/3 PAB590 PEN604 PGK598 PHP608 PKR586 PLN985 PYG600/0 QAR634 RON946 RSD941
        RUB643 RWF646/0 SAR682 SBD090 SCR690 SDG938 SEK752 SGD702 SHP654 SLE925 SLL694 SOS706
        SRD968 SSP728 STN930 SVC222 SYP760 SZL748 THB764 TJS972 TMT934 TND788/3 TOP776 TRY949
        TTD780 TWD901 TZS834 UAH980 UGX800/0 USD840 USN997 UYI940/0 UYU858 UYW927/4 UZS860 VED926
        VES928 VND704/0 VUV548/0 WST882 XAF950/0 XCD951 XCG532 XOF952/0 XPF953/0 YER886 ZAR710 ZMW967
        ZWG924 ZWL932
        """;

    private static readonly CodeTable Table = new(Rows, codeLength: 3, aliasLength: 0);
    private static readonly sbyte[] Exponents = [.. Table.Rests.Select(rest => rest.Length > 0 ? (sbyte)(rest[1] - '0') : (sbyte)2)];

    /// <summary>Every alpha-3 code, sorted.</summary>
    public static IReadOnlyList<string> All => Table.Codes;

    /// <summary>Finds a currency by alpha-3 code in either case or by numeric code.</summary>
    /// <param name="text">The code.</param>
    /// <param name="code">The alpha-3 code in upper case.</param>
    public static bool TryFind(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> code) => Table.TryFind(text, out code);

    /// <summary>Digits of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD; -1 when there is no such currency.</summary>
    public static int Exponent(ReadOnlySpan<byte> text) => Table.RowOf(text) is >= 0 and var row ? Exponents[row] : -1;
}
