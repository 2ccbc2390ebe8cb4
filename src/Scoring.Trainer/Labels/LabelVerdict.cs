namespace Scoring.Trainer.Labels;

/// <summary>What the labels of one transaction come to.</summary>
/// <param name="IsFraud">Whether it was fraud.</param>
/// <param name="ReportedAtMs">When the label that decides was reported, ms since 1970 UTC.</param>
/// <param name="LabelId">The label that decides.</param>
internal sealed record LabelVerdict(bool IsFraud, long ReportedAtMs, string LabelId);
