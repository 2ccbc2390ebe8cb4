using Scoring.Faults.Measuring;
using Scoring.Faults.Service;
using Scoring.Models.Packaging;

namespace Scoring.Faults.Rows;

/// <summary>Packages that nobody may take, offered on the models topic.</summary>
internal static class ModelFaults
{
    private const int GoodSequence = 100;
    private const string Refusals = "fraudscoring_model_refusals_total";

    /// <summary>Longest until every worker has looked at all of them.</summary>
    private static readonly TimeSpan RefusedBound = TimeSpan.FromSeconds(60);

    /// <summary>Offers a good one, which scores from the first payment on.</summary>
    public static async Task OfferGoodAsync(FaultRun run)
    {
        var packages = new ModelPackages(run.Service);
        run.Service.Models = packages;
        byte[] good = packages.Package(GoodSequence);
        string path = Path.Combine(run.Service.Folder, "good.fsmodel");
        await File.WriteAllBytesAsync(path, good, run.Stopping);
        await packages.OfferAsync(run.Cluster.BootstrapServers, good, run.Stopping);
        run.Workers.Model = ["--verification-key", packages.KeyPath];
        run.VerifyArguments.AddRange(["--package", path, "--verification-key", packages.KeyPath]);
    }

    /// <summary>Bad ones of each kind: every worker refuses each; a worker that is killed and goes through them at its start comes to the good one too.</summary>
    public static async Task OfferBadAsync(FaultRun run)
    {
        double before = await run.Workers.MetricAsync(Refusals);
        var offers = Bad(run).OrderBy(_ => run.Random.Next()).ToList();
        foreach (byte[] package in offers)
        {
            await run.Service.Models!.OfferAsync(run.Cluster.BootstrapServers, package, run.Stopping);
        }

        double expected = before + (offers.Count * run.Workers.Names.Count);
        double counted = 0;
        await run.UntilAsync(FormattableString.Invariant($"{expected} refusals are counted"), RefusedBound, async () => (counted = await run.Workers.MetricAsync(Refusals)) >= expected);
        run.Require(counted == expected, FormattableString.Invariant($"{expected} packages had to be refused, {counted} were"));
        double sequences = await run.Workers.MetricAsync("fraudscoring_model_sequence");
        run.Require(sequences == GoodSequence * run.Workers.Names.Count, FormattableString.Invariant($"another model than the good one scores: the sequences' sum is {sequences}"));
        await WorkerFaults.KillAsync(run);
    }

    /// <summary>Every score must be the good model's.</summary>
    public static void Judge(FaultRun run, Verdict verdict) => run.Require(
        verdict.ScoresComputed == verdict.Scored,
        FormattableString.Invariant($"{verdict.Scored} scores, {verdict.ScoresComputed} of them of the good model: {string.Join("; ", verdict.NotChecked)}"));

    private static List<byte[]> Bad(FaultRun run)
    {
        var packages = run.Service.Models!;
        byte[] sound = packages.Package(GoodSequence + 1);
        byte[] flipped = [.. sound];
        flipped[run.Random.Next(sound.Length / 2, sound.Length)] ^= (byte)(1 << run.Random.Next(8));
        byte[] noise = new byte[1_000];
        run.Random.NextBytes(noise);
        using var stranger = PackageKey.Create();
        return
        [
            [],
            noise,
            sound[..(sound.Length / 2)],
            flipped,
            packages.Package(GoodSequence + 1, signer: stranger),
            packages.Package(GoodSequence - 1),
            packages.Package(GoodSequence, manifest => manifest with { Version = "another" }),
            packages.Package(GoodSequence + 1, manifest => manifest with { Service = "another" }),
            packages.Package(GoodSequence + 1, manifest => manifest with { PlanDigest = "another" }),
            packages.Package(GoodSequence + 1, manifest => manifest with { Features = [.. manifest.Features.Reverse()], Trees = null }),
            packages.Package(GoodSequence + 1, manifest => manifest with { Expires = new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero) }),
            packages.Package(GoodSequence + 1, manifest => manifest with { Trees = new() { Calibration = new() { Kind = "platt", Slope = 2, Intercept = 1 } } }),
            packages.Package(GoodSequence + 1, trees: noise),
        ];
    }
}
