namespace Scoring.Trainer;

/// <summary>What the process says when it ends, by sysexits.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int Usage = 64;
    public const int Data = 65;
    public const int NoInput = 66;
    public const int Unavailable = 69;
    public const int Internal = 70;
    public const int Output = 74;
    public const int Configuration = 78;
    public const int Interrupted = 130;
}
