using System.Runtime.InteropServices;

namespace Scoring.Models.Decisions;

/// <summary>From which score on to act.</summary>
/// <param name="Review">Review from this probability on, 0 to 1.</param>
/// <param name="Decline">Decline from this probability on, 0 to 1. Where it is the lower of the two, nothing is left to review by score.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Thresholds(double Review, double Decline);
