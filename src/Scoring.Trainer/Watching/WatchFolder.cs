using System.Globalization;
using Scoring.Models.Packaging;

namespace Scoring.Trainer.Watching;

/// <summary>What a trainer keeps on disk beside its history: state, packages, decisions.</summary>
internal sealed class WatchFolder
{
    private const string SnapshotName = "snapshot.parquet";

    private readonly string path;
    private readonly string service;

    /// <summary>Makes the folder if need be.</summary>
    public WatchFolder(string path, string service)
    {
        this.path = path;
        this.service = service;
        Directory.CreateDirectory(Path.Combine(path, "packages"));
        Directory.CreateDirectory(Path.Combine(path, "decisions"));
    }

    /// <summary>The folder of the recorded history.</summary>
    public string History => Path.Combine(path, "history");

    /// <summary>A history that is written, read and forgotten while a challenger is trained.</summary>
    public string Snapshot => Path.Combine(path, SnapshotName);

    /// <summary>Where the loop stands.</summary>
    /// <exception cref="TrainerException">The file is damaged, or of another service.</exception>
    public WatchState ReadState()
    {
        string file = Path.Combine(path, "state.json");
        if (!File.Exists(file))
        {
            return new() { Format = WatchState.FormatVersion, Service = service };
        }

        var state = PackageJson.Read<WatchState>(File.ReadAllBytes(file), out string problem)
            ?? throw new TrainerException(ExitCode.Data, $"{file}: {problem}; without it the trainer begins anew at the oldest day of its history");
        return state.Format == WatchState.FormatVersion && string.Equals(state.Service, service, StringComparison.Ordinal)
            ? state
            : throw new TrainerException(ExitCode.Configuration, $"{file}: is of service {state.Service}, format {state.Format}; this is {service}, format {WatchState.FormatVersion}");
    }

    /// <summary>Replaces the state.</summary>
    public void Write(WatchState state) => AtomicFile.Write(Path.Combine(path, "state.json"), PackageJson.Write(state));

    /// <summary>Writes a decision under its time; the same time again replaces it.</summary>
    public void Write(WatchDecision decision) =>
        AtomicFile.Write(Path.Combine(path, "decisions", decision.At.ToString("yyyy-MM-dd'T'HH-mm-ss'Z.json'", CultureInfo.InvariantCulture)), PackageJson.Write(decision));

    /// <summary>Keeps a package under its digest.</summary>
    public void WritePackage(string sha256, byte[] file) => AtomicFile.Write(PackagePath(sha256), file);

    /// <summary>A package that was kept; null when it is not there.</summary>
    public byte[]? ReadPackage(string sha256) => File.Exists(PackagePath(sha256)) ? File.ReadAllBytes(PackagePath(sha256)) : null;

    private string PackagePath(string sha256) => Path.Combine(path, "packages", sha256 + ".fsmodel");
}
