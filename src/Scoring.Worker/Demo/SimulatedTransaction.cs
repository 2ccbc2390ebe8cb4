using System.Runtime.InteropServices;

namespace Scoring.Worker.Demo;

/// <summary>One simulated card payment and the truth about it. Indices point into <see cref="TrafficWorld"/>.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct SimulatedTransaction
{
    /// <summary>Place in the stream from 0 on; the transaction id is made from it.</summary>
    public long Sequence;

    /// <summary>When it happened, ms since 1970 UTC; never falls from one transaction to the next.</summary>
    public long EventTimeMs;

    /// <summary>Amount in minor units of the merchant's currency, at least 1.</summary>
    public long AmountMinor;

    /// <summary>The card that paid.</summary>
    public int Account;

    /// <summary>Where it paid.</summary>
    public int Merchant;

    /// <summary>The terminal it paid at; -1 when the card was not present.</summary>
    public int Terminal;

    /// <summary>The customer's device; 0 when none took part.</summary>
    public uint Device;

    /// <summary>Country of the device's address, a <see cref="TrafficGeography.Countries"/> index; -1 when no device took part.</summary>
    public short IpCountry;

    /// <summary>Country of delivery; -1 when nothing is delivered.</summary>
    public short ShippingCountry;

    /// <summary>How the card was read.</summary>
    public EntryMode EntryMode;

    /// <summary>How the cardholder was verified at a terminal.</summary>
    public CardholderVerification Verification;

    /// <summary>How the cardholder was authenticated online.</summary>
    public OnlineAuthentication Authentication;

    /// <summary>Whether the issuer said no. A declined try is a transaction like any other.</summary>
    public bool Declined;

    /// <summary>The truth: honest, or by which pattern not.</summary>
    public FraudPattern Pattern;

    /// <summary>Which campaign of fraud it belongs to, from 1 on; 0 when honest.</summary>
    public int Campaign;

    /// <summary>Whether the card was at a terminal.</summary>
    public readonly bool CardPresent => Terminal >= 0;
}

/// <summary>How a card was read; wire values of <c>entry_mode</c>.</summary>
internal enum EntryMode : byte
{
    /// <summary><c>chip</c></summary>
    Chip,

    /// <summary><c>contactless</c></summary>
    Contactless,

    /// <summary><c>magstripe</c></summary>
    Magstripe,

    /// <summary><c>ecommerce</c>: typed into a page.</summary>
    Ecommerce,

    /// <summary><c>cof</c>: a card on file, charged without its holder.</summary>
    CardOnFile,
}

/// <summary>How a cardholder was verified; wire values of <c>cvm</c>.</summary>
internal enum CardholderVerification : byte
{
    /// <summary><c>none</c></summary>
    None,

    /// <summary><c>pin</c></summary>
    Pin,

    /// <summary><c>signature</c></summary>
    Signature,

    /// <summary><c>device</c>: a phone's lock.</summary>
    Device,
}

/// <summary>How an online payment was authenticated; wire values of <c>three_ds</c>.</summary>
internal enum OnlineAuthentication : byte
{
    /// <summary>Not at all: the field is absent.</summary>
    Absent,

    /// <summary><c>frictionless</c>: by the issuer's own judgement.</summary>
    Frictionless,

    /// <summary><c>challenged</c>: by the cardholder's answer.</summary>
    Challenged,

    /// <summary><c>attempted</c>: the issuer did not take part.</summary>
    Attempted,
}
