namespace Scoring.Worker.Commands;

/// <summary>What the process says when it ends (BSD sysexits).</summary>
internal static class ExitCode
{
    /// <summary>Done, or a service that drained cleanly.</summary>
    public const int Ok = 0;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 64;

    /// <summary>An input file, definition or package is wrong.</summary>
    public const int Data = 65;

    /// <summary>An input file is not there.</summary>
    public const int NoInput = 66;

    /// <summary>No broker answered within the bound.</summary>
    public const int Unavailable = 69;

    /// <summary>A lane ended by itself, or a mistake of ours.</summary>
    public const int Internal = 70;

    /// <summary>An output file or pipe took no more.</summary>
    public const int Output = 74;

    /// <summary>A file may not be read by this user.</summary>
    public const int NoPermission = 77;

    /// <summary>A setting or a topic is wrong.</summary>
    public const int Configuration = 78;
}
