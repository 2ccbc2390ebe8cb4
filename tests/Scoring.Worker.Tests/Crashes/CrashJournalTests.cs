using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Scoring.Worker.Commands;
using Scoring.Worker.Crashes;

namespace Scoring.Worker.Tests.Crashes;

/// <summary>The journal of what is in hand, opened again and again as by processes that ended. One that is closed without <c>End</c> is one whose process was killed: the file is the same.</summary>
public sealed class CrashJournalTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("crashes").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_record_that_was_in_hand_three_times_is_refused_and_those_beside_it_are_not()
    {
        Die([10, 11, 12, 13]);
        using (var second = Open())
        {
            Assert.Equal([10, 11, 12, 13], Enumerable.Range(0, 20).Select(offset => (long)offset).Where(second.Of(0).IsSuspect));
        }

        Die([12]);
        using (var third = Open())
        {
            Assert.Equal([12], Enumerable.Range(0, 20).Select(offset => (long)offset).Where(third.Of(0).IsSuspect));
            Assert.Empty(third.Of(0).Refused);
        }

        Die([12]);
        using var fourth = Open();
        Assert.Equal([12], fourth.Of(0).Refused);
        Assert.False(fourth.Of(0).IsSuspect(12));
        Assert.Empty(fourth.Of(1).Refused);
    }

    [Fact]
    public void What_was_passed_is_no_suspect_any_more()
    {
        Die([10, 11]);
        Die([11]);
        using (var journal = Open())
        {
            Assert.True(journal.Of(0).IsSuspect(11));
            Process(journal.Of(0), [11]);
        }

        Die([11]);
        using var next = Open();
        Assert.Empty(next.Of(0).Refused);
        Assert.True(next.Of(0).IsSuspect(11)); // For the first time again.
    }

    [Fact]
    public void A_batch_that_was_never_narrowed_to_one_record_refuses_nothing()
    {
        for (int i = 0; i < 5; i++)
        {
            Die([10, 11]);
        }

        using var journal = Open();
        Assert.Empty(journal.Of(0).Refused);
    }

    [Fact]
    public void Records_that_end_the_process_one_after_the_other_are_not_the_cause()
    {
        Refuse(100);
        Refuse(200);
        Die([300]);
        Die([300]);
        Die([300]);
        var failure = Assert.Throws<CommandFailure>(Open);
        Assert.Equal(ExitCode.Internal, failure.ExitCode);
        Assert.Contains("offset 300 of partition 0", failure.Message, StringComparison.Ordinal);
        string path = Assert.Single(Directory.GetFiles(folder));
        Assert.EndsWith("delete " + path, failure.Message, StringComparison.Ordinal);
        Assert.Throws<CommandFailure>(Open); // Until somebody does.
        File.Delete(path);
        Open().Dispose();
    }

    [Fact]
    public void Refused_records_far_from_each_other_are_each_remembered()
    {
        Refuse(1_000_000);
        Refuse(2_000_000);
        Refuse(3_000_000);
        using var journal = Open();
        Assert.Equal([1_000_000, 2_000_000, 3_000_000], journal.Of(0).Refused);
    }

    [Theory]
    [InlineData("another topic of that name", 2)]
    [InlineData("topic", 3)]
    public void Offsets_of_another_input_mean_nothing(string input, int partitionCount)
    {
        Die([10]);
        using var journal = CrashJournal.Open(folder, "group/a", input, partitionCount, NullLogger.Instance)!;
        Assert.False(journal.Of(0).IsSuspect(10));
    }

    [Fact]
    public void A_file_that_is_damaged_is_begun_again()
    {
        Die([10]);
        string path = Assert.Single(Directory.GetFiles(folder));
        byte[] bytes = File.ReadAllBytes(path);
        bytes[3] ^= 1;
        File.WriteAllBytes(path, bytes);
        using (var journal = Open())
        {
            Assert.False(journal.Of(0).IsSuspect(10));
        }

        File.WriteAllText(path, "cut off");
        Open().Dispose();
    }

    [Fact]
    public void Two_workers_of_one_name_have_a_file_each()
    {
        using var one = Open();
        using var other = Open();
        Assert.NotEqual(one.Path, other.Path);
    }

    [Fact]
    public void In_a_folder_that_cannot_be_used_there_is_none() => Assert.Null(CrashJournal.Open(Path.Combine(folder, "is-not-there"), "group", "topic", 2, NullLogger.Instance));

    [Fact] // The rule as a lane keeps it, with processes killed for no reason of the input's now and then.
    public void A_lane_comes_to_the_end_without_the_killer_and_with_all_others() =>
        Gen.Select(Gen.Int[0, 199], Gen.Int[1, 64], Gen.UInt).Sample(
            (killer, rowsMax, seed) =>
            {
                var random = new Random((int)seed);
                string name = $"lane-{Guid.NewGuid()}";
                long next = 0;
                for (int starts = 1; ; starts++)
                {
                    using var journal = CrashJournal.Open(folder, name, "topic", 1, NullLogger.Instance)!;
                    var crashes = journal.Of(0);
                    var refused = crashes.Refused.ToHashSet();
                    long kill = random.Next(5) == 0 ? random.Next(200) : -1;
                    if (TryRun(crashes, ref next, killer, kill, rowsMax, refused))
                    {
                        return starts <= 16 && refused.SetEquals([killer]);
                    }

                    if (starts > 16)
                    {
                        return false;
                    }
                }
            },
            iter: 300,
            threads: 1);

    /// <summary>Processes 200 records in batches, each committed when it is answered.</summary>
    /// <returns>False when the process ended on the way.</returns>
    private static bool TryRun(PartitionCrashes crashes, ref long next, long killer, long kill, int rowsMax, HashSet<long> refused)
    {
        while (next < 200)
        {
            var batch = new List<long>();
            for (long offset = next; offset < 200 && batch.Count < rowsMax && (batch.Count == 0 || !(crashes.IsSuspect(offset) || crashes.IsSuspect(batch[^1]))); offset++)
            {
                if (!refused.Contains(offset))
                {
                    batch.Add(offset);
                    crashes.Begin(offset);
                }
            }

            if (batch.Contains(killer) || batch.Contains(kill))
            {
                return false;
            }

            crashes.End();
            next = batch.Count == 0 ? 200 : batch[^1] + 1;
        }

        return true;
    }

    private static void Process(PartitionCrashes crashes, long[] offsets)
    {
        foreach (long offset in offsets)
        {
            crashes.Begin(offset);
        }

        crashes.End();
    }

    private void Refuse(long offset)
    {
        Die([offset]);
        Die([offset]);
        Die([offset]);
        Open().Dispose();
    }

    private void Die(long[] inHand)
    {
        using var journal = Open();
        var crashes = journal.Of(0);
        foreach (long offset in inHand)
        {
            crashes.Begin(offset);
        }
    }

    private CrashJournal Open() => CrashJournal.Open(folder, "group/a", "topic", 2, NullLogger.Instance)!;
}
