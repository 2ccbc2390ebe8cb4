namespace Scoring.Models.Events;

/// <summary>Why an event is refused. Wire form: <c>snake_case</c>. A code never changes its meaning.</summary>
public enum RefusalCode
{
    /// <summary>Not refused.</summary>
    None,

    /// <summary>The record has no value (a tombstone).</summary>
    Tombstone,

    /// <summary>The value has no bytes.</summary>
    Empty,

    /// <summary>The value is larger than the limit.</summary>
    TooLarge,

    /// <summary>Not JSON, or cut short.</summary>
    MalformedJson,

    /// <summary>Bytes that are not UTF-8.</summary>
    InvalidUtf8,

    /// <summary>Nested deeper than the limit.</summary>
    TooDeep,

    /// <summary>One member twice in an object.</summary>
    DuplicateMember,

    /// <summary>The JSON value is not an object.</summary>
    NotAnObject,

    /// <summary>A required field is absent or null.</summary>
    MissingField,

    /// <summary>A field has another JSON type than it must have.</summary>
    WrongType,

    /// <summary>A number that does not fit its column, or is no finite number.</summary>
    NumberOutOfRange,

    /// <summary>An amount below zero.</summary>
    NegativeAmount,

    /// <summary>A text longer than its field may be, or empty.</summary>
    BadLength,

    /// <summary>Not a value the field may have (its format).</summary>
    BadFormat,

    /// <summary>Not an ISO 4217 currency.</summary>
    UnknownCurrency,

    /// <summary>Not an ISO 3166-1 country.</summary>
    UnknownCountry,

    /// <summary>Not a time.</summary>
    BadTime,

    /// <summary>Too far ahead of the clock.</summary>
    FutureTime,

    /// <summary>Before the earliest time the definition allows.</summary>
    AncientTime,

    /// <summary>A value that looks like a card number; masked in the dead letter.</summary>
    PanSuspected,

    /// <summary>A CloudEvents attribute is missing or wrong.</summary>
    BadCloudEvent,

    /// <summary>Schema Registry framing of an encoding that is not taken.</summary>
    UnsupportedEncoding,

    /// <summary>An entity key longer than the definition allows.</summary>
    KeyTooLong,

    /// <summary>The identifier of a recent transaction with other fields.</summary>
    DuplicateConflict,

    /// <summary>The process ended each time the event was processed.</summary>
    CrashSuspect,

    /// <summary>A topic of the answer does not take a record of its size.</summary>
    AnswerTooLarge,
}
