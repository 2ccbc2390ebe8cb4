namespace Scoring.Worker.Serving;

/// <summary>Holds the model that scores. It is swapped as a whole, never changed; a lane reads it once for each micro-batch.</summary>
internal sealed class ModelSlot
{
    private volatile ServingModel? current;

    /// <summary>The model of this moment.</summary>
    /// <exception cref="InvalidOperationException">Nothing was put in yet.</exception>
    public ServingModel Current => current ?? throw new InvalidOperationException("no model was put into the slot, not even the one without components");

    /// <summary>Lets <paramref name="model"/> score from the next micro-batch on.</summary>
    public void Swap(ServingModel model) => current = model;
}
