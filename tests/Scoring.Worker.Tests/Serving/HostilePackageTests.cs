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
        long sequence = 1;
        int refused = 0;
        var (slowest, largest) = ((TimeSpan.Zero, ""), (0L, ""));
        foreach (string file in files)
        {
            foreach (string name in new[] { PackageFiles.Trees, PackageFiles.Network })
            {
                byte[] package = workshop.FilePackage(++sequence, File.ReadAllBytes(file), name, Running);
                workshop.Lines.Clear();
                long allocated = GC.GetAllocatedBytesForCurrentThread();
                long started = Stopwatch.GetTimestamp();
                workshop.Offer(package);
                var took = Stopwatch.GetElapsedTime(started);
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
        output.WriteLine(FormattableString.Invariant($"{refused} hostile packages refused; slowest {slowest.Item1.TotalMilliseconds:0.0} ms ({slowest.Item2}), most allocated {largest.Item1 / 1048576.0:0.0} MiB ({largest.Item2}), process peak {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB"));
    }
}
