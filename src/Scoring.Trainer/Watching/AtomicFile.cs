namespace Scoring.Trainer.Watching;

/// <summary>Files that are there whole or not at all, whenever the process dies.</summary>
internal static class AtomicFile
{
    /// <summary>Writes beside the name, onto the disk, then renames; an existing file is replaced.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        string unfinished = path + ".unfinished";
        using (var file = File.Create(unfinished))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, path, overwrite: true);
    }
}
