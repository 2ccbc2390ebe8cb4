using Scoring.EndToEnd.Tests.Brokers;
using Scoring.Models.Ensembles;
using Scoring.Models.Packaging;
using Scoring.Trainer.Commands;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.Publishing;
using Scoring.Trainer.Training;

namespace Scoring.EndToEnd.Tests.Learning;

/// <summary>What stands on the models topic, loaded to score offline.</summary>
internal sealed class PublishedPackages : IDisposable
{
    private readonly List<Ensemble> ensembles = [];

    private PublishedPackages()
    {
    }

    /// <summary>In the order of their publication; the first is the one that the loop began with.</summary>
    public IReadOnlyList<Ensemble> InOrder => ensembles;

    /// <summary>Reads the topic to its end.</summary>
    public static async Task<PublishedPackages> ReadAsync(KafkaBroker broker, string definition, string publicKey)
    {
        var keys = PackageKey.ReadPublic(await File.ReadAllTextAsync(publicKey, TestContext.Current.CancellationToken));
        var access = new BrokerAccess(broker.BootstrapServers, new Dictionary<string, string>(StringComparer.Ordinal));
        var published = new PublishedPackages();
        foreach (var offer in ChannelReader.Read(access, ModelChannel.Of(CommonOptions.ReadDefinition(definition)), TimeProvider.System))
        {
            published.ensembles.Add(PackageVerifier.Verify(offer.Package!, new VerificationPolicy { AcceptedKeys = keys }).Ensemble!);
        }

        return published;
    }

    /// <summary>The largest difference between a score on the topic and what the package that it names says offline.</summary>
    /// <param name="table">Features of every row.</param>
    /// <param name="scores">Of the topic.</param>
    /// <param name="rows">Rows compared.</param>
    public double LargestDifference(FeatureTable table, ScoreLog scores, IEnumerable<int> rows)
    {
        double worst = 0;
        foreach (var made in rows.GroupBy(row => scores.Scores[table.TransactionId(row)].PackageSha256, StringComparer.Ordinal))
        {
            var ensemble = ensembles.Find(ensemble => string.Equals(ensemble.Sha256, made.Key, StringComparison.Ordinal));
            Assert.True(ensemble is not null, $"a score names {made.Key}, which was never published");
            int[] ofPackage = [.. made];
            double[] offline = PackageScores.Of(ensemble, table, ofPackage).Probabilities;
            for (int i = 0; i < ofPackage.Length; i++)
            {
                worst = Math.Max(worst, Math.Abs(offline[i] - scores.Scores[table.TransactionId(ofPackage[i])].Probability));
            }
        }

        return worst;
    }

    public void Dispose() => ensembles.ForEach(ensemble => ensemble.Dispose());
}
