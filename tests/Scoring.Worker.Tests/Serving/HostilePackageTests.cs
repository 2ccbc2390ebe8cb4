using System.Diagnostics;
using Scoring.Models.Packaging;
using Scoring.Models.Tests;

namespace Scoring.Worker.Tests.Serving;

/// <summary>The model files that kill, hang or fool ONNX Runtime, each in a package that an accepted key has signed.</summary>
public sealed class HostilePackageTests(ITestOutputHelper output)
{
    /// <summary>What one refusal may allocate: the whole of the largest package, several times over.</summary>
    private const long AllocatedBytesMax = 128L << 20;

    private const double Running = 0.25;

    [Fact]
    public void Each_is_refused_with_its_reason_within_bounds_and_the_running_model_stays()
    {
        string sound = RepositoryFiles.Shared(Path.Combine("data", "onnx", "tree_of_five_nodes.onnx"));
        string[] files = [.. Directory.GetFiles(Path.Combine(Path.GetDirectoryName(sound)!, "bad"), "*.onnx").Order(StringComparer.Ordinal)];
        using var workshop = new OfferWorkshop();
        workshop.Offer(workshop.Package(1, Running));
        workshop.Offer(workshop.FilePackage(2, File.ReadAllBytes(sound), PackageFiles.Trees, Running));
        Assert.Equal(1, workshop.Refusals("smoke_mismatch")); // Their sound parent is loaded and scores: what follows is refused for what was done to it.
        long sequence = 2;
        int refused = 1;
        using var process = Process.GetCurrentProcess();
        var (slowest, largest) = ((TimeSpan.Zero, ""), (0L, ""));
        foreach (string file in files)
        {
            foreach (string name in new[] { PackageFiles.Trees, PackageFiles.Network })
            {
                byte[] package = workshop.FilePackage(++sequence, File.ReadAllBytes(file), name, Running);
                workshop.Lines.Clear();
                long allocated = GC.GetAllocatedBytesForCurrentThread();
                process.Refresh();
                var started = process.TotalProcessorTime;
                workshop.Offer(package);
                process.Refresh();
                var took = process.TotalProcessorTime - started; // Of the machine's time the tests beside this one would have their share.
                allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;

                string what = $"{Path.GetFileNameWithoutExtension(file)} as {name}";
                Assert.Equal(++refused, workshop.Outcomes("refused"));
                Assert.Equal(Running, workshop.Score());
                Assert.Contains(name, Assert.Single(workshop.Lines), StringComparison.Ordinal);
                Assert.InRange(allocated, 0, AllocatedBytesMax);
                slowest = took > slowest.Item1 ? (took, what) : slowest;
                largest = allocated > largest.Item1 ? (allocated, what) : largest;
            }
        }

        Assert.Equal(files.Length * 2, workshop.Refusals("model_refused"));
        output.WriteLine(FormattableString.Invariant($"{files.Length * 2} hostile packages refused; most processor time {slowest.Item1.TotalMilliseconds:0} ms ({slowest.Item2}), most allocated {largest.Item1 / 1048576.0:0.0} MiB ({largest.Item2}), process peak {process.PeakWorkingSet64 >> 20} MiB"));
    }
}
