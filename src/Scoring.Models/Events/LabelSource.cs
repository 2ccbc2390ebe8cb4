namespace Scoring.Models.Events;

/// <summary>Who says that a transaction was fraud, or was not. Wire form: <c>snake_case</c>.</summary>
public enum LabelSource
{
    /// <summary>Not said.</summary>
    Unknown,

    /// <summary>A chargeback of the card network.</summary>
    Chargeback,

    /// <summary>A fraud report of issuer or network (TC40, SAFE).</summary>
    FraudReport,

    /// <summary>An analyst's disposition.</summary>
    Analyst,

    /// <summary>The customer's word.</summary>
    CustomerClaim,

    /// <summary>The issuer's confirmation.</summary>
    IssuerConfirmed,
}
