namespace Scoring.Worker.Demo;

/// <summary>A model that scores, as the worker names it.</summary>
/// <param name="Number">Its sequence: the first model is 1.</param>
/// <param name="Version">Version of its package.</param>
/// <param name="Sha256">Digest of its package.</param>
internal sealed record DemoModel(int Number, string Version, string Sha256)
{
    /// <summary>The digest as answers carry it.</summary>
    public ulong Digest => DemoAnswer.ModelOf(Sha256);

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"model {Number} ({Version}, {Sha256[..12]})");
}
