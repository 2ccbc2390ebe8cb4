using Scoring.Models.Ensembles;

namespace Scoring.Worker.Serving;

/// <summary>Holds the model that scores. It is swapped as a whole, never changed; a lane looks at it once for each micro-batch.</summary>
/// <remarks>
/// The slot owns the ensemble of its model and closes it when another takes its place; lanes score with instances of their own, which share the
/// native session until the last of them is closed. Taking one and swapping exclude each other: nobody shares what is being closed.
/// </remarks>
internal sealed class ModelSlot : IDisposable
{
    private readonly Lock gate = new();
    private volatile ServingModel? current;

    /// <summary>The model of this moment.</summary>
    /// <exception cref="InvalidOperationException">Nothing was put in yet.</exception>
    public ServingModel Current => current ?? throw new InvalidOperationException("no model was put into the slot, not even the one without components");

    /// <summary>Whether anything was put in: an ensemble, or the rules alone.</summary>
    public bool IsFilled => current is not null;

    /// <summary>Digest of the package that scores, or null.</summary>
    public string? Sha256 => current?.Ensemble?.Sha256;

    /// <summary>Lets <paramref name="model"/> score from the next micro-batch on, and closes what the slot held of the one before.</summary>
    public void Swap(ServingModel model)
    {
        ServingModel? before;
        lock (gate)
        {
            before = current;
            current = model;
        }

        before?.Ensemble?.Dispose();
    }

    /// <summary>The model of this moment, with an instance of its ensemble for the caller's thread; the caller closes that.</summary>
    public ServingModel Take(out Ensemble? ensemble)
    {
        lock (gate)
        {
            var taken = Current;
            ensemble = taken.Ensemble?.ForAnotherLane();
            return taken;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => current?.Ensemble?.Dispose();
}
