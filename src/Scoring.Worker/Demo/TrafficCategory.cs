namespace Scoring.Worker.Demo;

/// <summary>What a merchant sells and what people spend there.</summary>
/// <param name="Code">ISO 18245 merchant category code.</param>
/// <param name="AmountMedian">Middle of the log-normal amounts, in major units.</param>
/// <param name="AmountSigma">Their spread in logarithms.</param>
/// <param name="Weight">Relative number of merchants.</param>
/// <param name="Delivers">Whether goods are sent to an address.</param>
internal sealed record TrafficCategory(string Code, double AmountMedian, double AmountSigma, double Weight, bool Delivers = false)
{
    /// <summary>Whether it is a cash machine: its amounts are multiples of ten.</summary>
    public bool IsCashMachine => Code is "6011";

    /// <summary>Whether a thief with a card in hand goes there: goods that are easy to sell on.</summary>
    public bool IsSoughtByThieves => Code is "5732" or "5944" or "5651";

    /// <summary>Shops, restaurants and machines.</summary>
    public static readonly TrafficCategory[] Local =
    [
        new("5411", 28, 0.70, 24), // grocery
        new("5812", 32, 0.60, 15), // restaurant
        new("5814", 9, 0.45, 14), // fast food
        new("5541", 45, 0.40, 9), // fuel
        new("4111", 4, 0.50, 8), // local transport
        new("5651", 48, 0.70, 8), // clothing
        new("5912", 14, 0.60, 7), // pharmacy
        new("6011", 80, 0.50, 6), // cash machine
        new("5732", 120, 0.90, 5), // electronics
        new("7011", 150, 0.60, 2), // hotel
        new("5944", 180, 0.90, 2), // jewellery
    ];

    /// <summary>Shops online.</summary>
    public static readonly TrafficCategory[] Online =
    [
        new("5311", 38, 0.80, 30, Delivers: true), // department store
        new("5999", 30, 0.90, 22, Delivers: true), // marketplace
        new("5818", 8, 0.80, 18), // digital goods
        new("5732", 140, 0.80, 10, Delivers: true), // electronics
        new("4722", 220, 0.80, 5), // travel agency
        new("4511", 180, 0.60, 5), // airline
        new("4899", 12, 0.35, 10), // streaming: also charged by the month
    ];

    /// <summary>Subscriptions: honest ones, and those that nobody asked for.</summary>
    public static readonly TrafficCategory Subscription = new("5968", 9, 0.40, 0);
}
