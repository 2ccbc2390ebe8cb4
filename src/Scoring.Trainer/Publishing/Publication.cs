namespace Scoring.Trainer.Publishing;

/// <summary>What came of an attempt to publish.</summary>
internal enum PublicationOutcome
{
    /// <summary>A record was written and acknowledged.</summary>
    Published,

    /// <summary>The channel offers this very package already: nothing was written.</summary>
    Already,

    /// <summary>Workers would refuse it: nothing was written.</summary>
    Refused,
}

/// <summary>What came of an attempt to publish, in one sentence.</summary>
/// <param name="Outcome">Whether a record was written.</param>
/// <param name="Sentence">For people.</param>
internal sealed record Publication(PublicationOutcome Outcome, string Sentence);
