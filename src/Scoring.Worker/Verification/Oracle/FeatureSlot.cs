namespace Scoring.Worker.Verification.Oracle;

/// <summary>Where an event of an entity holds what a feature needs; -1 for what it does not need.</summary>
/// <param name="Feature">The feature.</param>
/// <param name="Filter">Place among <see cref="OracleEvent.Passes"/>.</param>
/// <param name="Value">Place among <see cref="OracleEvent.Values"/>; of the latitude for places.</param>
/// <param name="Longitude">Place of the longitude among <see cref="OracleEvent.Values"/>.</param>
/// <param name="Identity">Place among <see cref="OracleEvent.Identities"/>.</param>
internal sealed record FeatureSlot(OracleFeature Feature, int Filter, int Value, int Longitude, int Identity);
