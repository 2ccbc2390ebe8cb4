namespace Scoring.Worker.Demo;

/// <summary>The kind of fraud behind a simulated transaction.</summary>
internal enum FraudPattern : byte
{
    /// <summary>An honest payment.</summary>
    None,

    /// <summary>A burst of tiny e-commerce amounts at one merchant that finds out which stolen cards still work.</summary>
    CardTesting,

    /// <summary>A stranger in somebody's account: new device, other country, high amounts, e-commerce.</summary>
    AccountTakeover,

    /// <summary>A stolen card in shops far from home: several high purchases within hours.</summary>
    StolenCardSpree,

    /// <summary>A terminal that skims the cards it sees: they are used elsewhere later, or charged there again.</summary>
    CompromisedTerminal,

    /// <summary>Small amounts to one merchant the customer never chose, every few days, for weeks.</summary>
    SlowDrain,

    /// <summary>
    /// Cards that shops keep on file, charged by a stranger: no device, no journey, no haste, and shops where the customer is known.
    /// Not there before <see cref="TrafficOptions.StoredCardAbuseBegins"/>.
    /// </summary>
    StoredCardAbuse,
}
