using System.Runtime.InteropServices;

namespace Scoring.Faults.Service;

/// <summary>A record of the input that a row wants beside the payments.</summary>
/// <param name="Topic">Of the service, e.g. <c>labels</c>.</param>
/// <param name="Key">Decides its partition.</param>
/// <param name="Value">Its bytes; null for none.</param>
internal sealed record InputRecord(string Topic, string Key, byte[]? Value)
{
    /// <summary>Its headers, UTF-8.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Whether it is a transaction that must be answered by a dead letter.</summary>
    public bool IsRefused { get; init; }
}

/// <summary>Where the payments are when a record is made to go among them.</summary>
/// <param name="Id">An identifier that no other record has.</param>
/// <param name="Time">The event time that they have come to.</param>
/// <param name="PaymentId">The last of them.</param>
/// <param name="Account">Its account.</param>
/// <param name="Payment">Itself.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Moment(string Id, DateTimeOffset Time, string PaymentId, string Account, InputRecord Payment);
