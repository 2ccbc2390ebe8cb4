namespace Scoring.Worker.Demo;

/// <summary>What the trainer decided, as its log says.</summary>
/// <param name="IsPromoted">Whether the challenger was published.</param>
/// <param name="Text">Outcome and reason.</param>
internal sealed record DemoDecision(bool IsPromoted, string Text);
