namespace Scoring.Models.Events;

/// <summary>What a value must look like to be taken into a column.</summary>
public enum FieldFormat
{
    /// <summary>No rule beyond the field's kind and length.</summary>
    Any,

    /// <summary>An opaque identifier, 1 to 128 bytes, no control characters; never a card number.</summary>
    Token,

    /// <summary>ISO 4217 alpha-3 code in upper case; lower case and the numeric code are mapped to it.</summary>
    Currency,

    /// <summary>ISO 3166-1 alpha-2 code in upper case; lower case, alpha-3 and the numeric code are mapped to it.</summary>
    Country,

    /// <summary>ISO 18245 merchant category code: four digits.</summary>
    MerchantCategory,

    /// <summary>Digits only.</summary>
    Digits,

    /// <summary>A category: 1 to 32 bytes of lower-case ASCII letters, digits and underscore.</summary>
    Category,

    /// <summary>An IPv4 or IPv6 address.</summary>
    IpAddress,

    /// <summary>Degrees north, -90 to 90.</summary>
    Latitude,

    /// <summary>Degrees east, -180 to 180.</summary>
    Longitude,
}
