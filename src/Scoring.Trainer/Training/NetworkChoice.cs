namespace Scoring.Trainer.Training;

/// <summary>Whether a network is trained beside the trees.</summary>
internal enum NetworkChoice
{
    /// <summary>It is trained, and taken where the blend is better on later data.</summary>
    Auto,

    /// <summary>It is trained and taken.</summary>
    On,

    /// <summary>Trees alone.</summary>
    Off,
}
