namespace Scoring.EndToEnd.Tests.Learning;

/// <summary>A payment of a recorded stream, and what became of it.</summary>
/// <param name="Id">Its identifier.</param>
/// <param name="TimeMs">When it was made, ms since 1970 UTC.</param>
/// <param name="Account">Whose it is; the key on both topics.</param>
/// <param name="Json">The record, without the outcome.</param>
/// <param name="LabelMembers">What a label names of it beside account and time, as members of its JSON: <c>,"terminal_id":"7"</c>.</param>
/// <param name="IsFraud">Whether it is reported as fraud later. Nobody reports an honest one.</param>
internal sealed record FedPayment(string Id, long TimeMs, string Account, string Json, string LabelMembers, bool IsFraud);
