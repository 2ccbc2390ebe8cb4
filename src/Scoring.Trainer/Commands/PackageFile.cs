using Scoring.Models.Packaging;

namespace Scoring.Trainer.Commands;

/// <summary>Reads packages for verbs.</summary>
internal static class PackageFile
{
    /// <summary>A verified package with its ensemble.</summary>
    /// <exception cref="TrainerException">There is no such file, or it is refused.</exception>
    public static PackageReading Read(string path, VerificationPolicy policy)
    {
        if (!File.Exists(path))
        {
            throw new TrainerException(ExitCode.NoInput, $"{path}: no such package");
        }

        // Not read when larger than the limit: the verifier's first question, asked of the disk.
        if (new FileInfo(path).Length > policy.Limits.FileBytesMax)
        {
            throw new TrainerException(ExitCode.Data, $"{path}: refused: {PackageRefusalCode.TooLarge}: more than {policy.Limits.FileBytesMax} bytes");
        }

        var reading = PackageVerifier.Verify(File.ReadAllBytes(path), policy);
        return reading.Refusal is { } refusal
            ? throw new TrainerException(ExitCode.Data, $"{path}: refused: {refusal.Code}: {refusal.Sentence}")
            : reading;
    }
}
