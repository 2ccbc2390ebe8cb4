namespace Scoring.Worker.Commands;

/// <summary>Opens what a user has named: whatever keeps it from being read is a sentence and an exit code.</summary>
internal static class InputFile
{
    /// <summary>Does something with a file.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="what">What it should be, for the message: "definition file".</param>
    /// <param name="read">Reads it.</param>
    /// <exception cref="CommandFailure">It is not there, may not be read, or reading failed.</exception>
    public static T Read<T>(string path, string what, Func<string, T> read)
    {
        if (!File.Exists(path))
        {
            throw new CommandFailure(ExitCode.NoInput, $"{path}: there is no such {what}");
        }

        try
        {
            return read(path);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new CommandFailure(ExitCode.NoPermission, $"{path}: this user may not read the {what}", refused);
        }
        catch (IOException unreadable)
        {
            throw new CommandFailure(ExitCode.NoInput, $"{path}: the {what} cannot be read ({unreadable.Message})", unreadable);
        }
    }
}
