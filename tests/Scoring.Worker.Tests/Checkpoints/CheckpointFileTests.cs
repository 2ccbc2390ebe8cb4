using CsCheck;
using Scoring.Models.Features;
using Scoring.Models.Tests.Features;
using Scoring.Worker.Checkpoints;

namespace Scoring.Worker.Tests.Checkpoints;

/// <summary>A checkpoint is loaded as it was written, or not at all.</summary>
public sealed class CheckpointFileTests : IDisposable
{
    private static readonly CheckpointHeader Header = new(CheckpointHeader.CurrentVersion, "fraud.a.state", "0123", Partition: 2, PartitionCount: 4, Shape: 77, Offset: 1_000, BeganAtMs: 5_000);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("fraudscoring-checkpoint-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void What_is_written_is_read_again_and_nothing_is_there_before_it_is_whole()
    {
        string path = Path.Combine(folder.FullName, "whole.checkpoint");
        using (var writer = new CheckpointWriter(path, Header))
        {
            AddAccounts(writer, 500);
            Assert.False(File.Exists(path));
            Assert.Null(CheckpointReader.Open(path));
            writer.Complete();
        }

        Assert.Equal([path], Directory.GetFiles(folder.FullName));
        using var reader = CheckpointReader.Open(path)!;
        Assert.Equal(Header, reader.Header);
        using var written = Accounts(500);
        using var empty = Accounts(0);
        var loader = new StateLoader(empty.State);
        reader.LoadInto(loader, () => false);
        Assert.Equal(written.State.RecordCount, loader.Records);
        Assert.Equal(Records(written.State), Records(empty.State));
    }

    [Fact]
    public void One_that_is_given_up_leaves_no_file_and_the_one_before_it_alone()
    {
        string path = Write(20);
        byte[] before = File.ReadAllBytes(path);
        using (var writer = new CheckpointWriter(path, Header with { Offset = 2_000 }))
        {
            AddAccounts(writer, 30);
            writer.WriteBlock();
        }

        Assert.Equal([path], Directory.GetFiles(folder.FullName));
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void Any_damage_is_found()
    {
        byte[] whole = File.ReadAllBytes(Write(60));
        string path = Path.Combine(folder.FullName, "damaged.checkpoint");
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, whole.Length - 1], Gen.Byte[1, 255]).Sample((kind, at, bits) =>
        {
            byte[] damaged = kind switch
            {
                0 => [.. whole[..at], (byte)(whole[at] ^ bits), .. whole[(at + 1)..]],
                1 => whole[..at],
                _ => [.. whole, bits],
            };
            File.WriteAllBytes(path, damaged);
            using var empty = Accounts(0);
            Assert.Throws<InvalidDataException>(() =>
            {
                using var reader = CheckpointReader.Open(path)!;
                reader.LoadInto(new StateLoader(empty.State), () => false);
            });
        }, iter: 1_500, threads: 1);
    }

    [Fact]
    public void One_of_something_else_or_too_old_is_not_used()
    {
        var wanted = Header with { Offset = 0, BeganAtMs = 0 };
        Assert.Null(Mismatch(wanted, low: 999, high: 1_000, nowMs: 6_000));
        Assert.Contains("the topic has 1000 to 1000", Mismatch(wanted, low: 1_000, high: 1_000, nowMs: 6_000), StringComparison.Ordinal); // Emptied: nobody wants what was there.
        Assert.Contains("made anew", Mismatch(wanted with { TopicId = "4567" }, 0, 2_000, 6_000), StringComparison.Ordinal);
        Assert.Contains("another definition", Mismatch(wanted with { Shape = 78 }, 0, 2_000, 6_000), StringComparison.Ordinal);
        Assert.Contains("format 1", Mismatch(wanted with { Version = 2 }, 0, 2_000, 6_000), StringComparison.Ordinal);
        Assert.Contains("another topic or partition", Mismatch(wanted with { Partition = 3 }, 0, 2_000, 6_000), StringComparison.Ordinal);
        Assert.Contains("another topic or partition", Mismatch(wanted with { PartitionCount = 8 }, 0, 2_000, 6_000), StringComparison.Ordinal);
        Assert.Contains("the topic has 1001 to 2000", Mismatch(wanted, 1_001, 2_000, 6_000), StringComparison.Ordinal);
        Assert.Contains("the topic has 0 to 999", Mismatch(wanted, 0, 999, 6_000), StringComparison.Ordinal);
        Assert.Contains("h old", Mismatch(wanted, 0, 2_000, 5_000 + (long)CheckpointHeader.AgeMax.TotalMilliseconds + 1), StringComparison.Ordinal);
        Assert.Contains("h old", Mismatch(wanted, 0, 2_000, nowMs: 4_999), StringComparison.Ordinal); // The clock was set back: its age is not known.

        static string? Mismatch(CheckpointHeader wanted, long low, long high, long nowMs) => Header.Mismatch(wanted, low, high, nowMs, CheckpointHeader.AgeMax);
    }

    [Fact]
    public void Its_owner_alone_may_read_it() =>
        Assert.Equal(OperatingSystem.IsWindows() ? UnixFileMode.None : UnixFileMode.UserRead | UnixFileMode.UserWrite, OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(Write(1)));

    private string Write(int accounts)
    {
        string path = Path.Combine(folder.FullName, "one.checkpoint");
        using var writer = new CheckpointWriter(path, Header);
        AddAccounts(writer, accounts);
        writer.Complete();
        return path;
    }

    private static void AddAccounts(CheckpointWriter writer, int count)
    {
        using var bench = Accounts(count);
        var cursor = default(StateCursor);
        while (!bench.State.WriteCopy(ref cursor, 7, writer.Add))
        {
            writer.WriteBlock();
        }
    }

    private static List<string> Records(PartitionState state)
    {
        var records = new List<string>();
        var cursor = default(StateCursor);
        state.WriteCopy(ref cursor, int.MaxValue, (key, value) => records.Add($"{Convert.ToHexString(key)} {Convert.ToHexString(value)}"));
        return [.. records.Order(StringComparer.Ordinal)];
    }

    /// <summary>A state that has seen one event of each of some accounts.</summary>
    private static Bench Accounts(int count)
    {
        var bench = new Bench(Bench.Definition([new() { Name = "count", Entity = "account", Aggregate = "count", Window = TimeSpan.FromSeconds(60) }]));
        bench.State.KeepChangelog();
        for (int i = 0; i < count; i++)
        {
            bench.Process(FormattableString.Invariant($"account-{i}"), new NaiveEvent(FormattableString.Invariant($"t{i}"), 1_000_000 + i, 100, "m", Latitude: null, Longitude: null));
        }

        return bench;
    }
}
