using Confluent.Kafka;

namespace Scoring.Simulation.Broker;

/// <summary>A record on its way to a partition, or there.</summary>
/// <param name="Key">Key bytes, or null.</param>
/// <param name="Value">Value bytes, or null.</param>
/// <param name="Headers">Headers, or null.</param>
/// <param name="TimestampMs">Its time, ms since 1970 UTC.</param>
internal sealed record LogRecord(byte[]? Key, byte[]? Value, Headers? Headers, long TimestampMs)
{
    /// <summary>A marker that ends a transaction: it takes an offset and is given to nobody.</summary>
    public static LogRecord Marker { get; } = new(null, null, null, 0);

    /// <summary>The transaction it belongs to; null for none.</summary>
    public LogTransaction? Transaction { get; set; }
}

/// <summary>The part of a transaction that stands in one partition.</summary>
/// <param name="FirstOffset">Where it begins there.</param>
internal sealed record LogTransaction(long FirstOffset)
{
    /// <summary>Whether its marker has come.</summary>
    public bool IsDecided { get; set; }

    /// <summary>Whether that says that it is committed.</summary>
    public bool IsCommitted { get; set; }
}
