using System.Runtime.InteropServices;

namespace Scoring.Models.Decisions;

/// <summary>One reason of a row: a rule that decided or a feature that raised the score.</summary>
/// <param name="RuleIndex">The rule, or -1.</param>
/// <param name="FeatureIndex">The feature, or -1.</param>
/// <param name="Contribution">What the feature added to the log-odds of fraud; NaN for a rule.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Reason(int RuleIndex, int FeatureIndex, double Contribution);
