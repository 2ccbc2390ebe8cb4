using System.Globalization;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Commands;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Serving;

/// <summary>The highest sequence that was taken for one channel, and by which package: nothing below it is taken from the topic again.</summary>
/// <remarks>
/// Kept in a file where one is named: <c>SERVICE/CHANNEL SEQUENCE SHA256</c>, one line, replaced as a whole. Without one a restart knows what the
/// topic still holds (a week at least) and <c>Serving:SequenceMin</c>.
/// </remarks>
internal sealed class TakenSequence
{
    private readonly string? path;
    private readonly string key;
    private readonly ILogger logger;

    private TakenSequence(string? path, string key, long sequence, string? sha256, ILogger logger)
    {
        this.path = path;
        this.key = key;
        this.logger = logger;
        Sequence = sequence;
        Sha256 = sha256;
    }

    /// <summary>The sequence; 0 at the very first.</summary>
    public long Sequence { get; private set; }

    /// <summary>Digest of the package that had it; null where only a lower bound is known.</summary>
    public string? Sha256 { get; private set; }

    /// <summary>Reads the file, if there is one.</summary>
    /// <param name="path">The file; it need not exist yet. Null keeps nothing.</param>
    /// <param name="key">Service and channel.</param>
    /// <param name="sequenceMin">What the operator demands at least.</param>
    /// <param name="logger">Says when the file cannot be written.</param>
    /// <exception cref="CommandFailure">The file cannot be read or is another channel's: to go on without it would forget the bound.</exception>
    public static TakenSequence Read(string? path, string key, long sequenceMin, ILogger logger)
    {
        var (sequence, sha256) = path is not null && File.Exists(path) ? Parse(path, key) : (0, null);
        return sequence >= sequenceMin ? new(path, key, sequence, sha256, logger) : new(path, key, sequenceMin, sha256: null, logger);
    }

    /// <summary>Notes that a package was taken; a lower sequence than the highest changes nothing.</summary>
    public void Raise(long sequence, string sha256)
    {
        if (sequence < Sequence || (sequence == Sequence && string.Equals(sha256, Sha256, StringComparison.Ordinal)))
        {
            return;
        }

        Sequence = sequence;
        Sha256 = sha256;
        if (path is null)
        {
            return;
        }

        try
        {
            string whole = path + ".new";
            File.WriteAllText(whole, string.Create(CultureInfo.InvariantCulture, $"{key} {sequence} {sha256}\n"));
            File.Move(whole, path, overwrite: true);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            LogMessages.SequenceNotKept(logger, path, refused.Message);
        }
    }

    private static (long Sequence, string? Sha256) Parse(string path, string key)
    {
        try
        {
            string[] parts = File.ReadAllText(path).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 3 && string.Equals(parts[0], key, StringComparison.Ordinal) && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long sequence))
            {
                return (sequence, parts[2]);
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Configuration, $"Serving:SequenceFile names {path}: {refused.Message}", refused);
        }

        throw new CommandFailure(ExitCode.Configuration, $"Serving:SequenceFile names {path}, which does not hold the sequence of {key}; name another file, or remove this one and set Serving:SequenceMin");
    }
}
