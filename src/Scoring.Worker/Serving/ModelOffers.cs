using Microsoft.Extensions.Logging;
using Scoring.Models.Ensembles;
using Scoring.Models.Packaging;
using Scoring.Worker.Operations;

namespace Scoring.Worker.Serving;

/// <summary>Decides about the packages of one channel, one after the other: verified, warmed beside the running model, put into the slot. For one thread.</summary>
/// <remarks>
/// Before <see cref="GoLive"/> it goes through history: the last acceptable package is held, earlier ones only raise the sequence, a withdrawal lets
/// go, and only a refusal of the newest offer is told. After it every offer is answered at once: taken, unchanged or refused with a reason.
/// Whatever is refused, the model in the slot stays.
/// </remarks>
internal sealed class ModelOffers(Service service, IReadOnlyList<PackageKey> keys, TakenSequence taken, int rowsMax, TimeProvider clock, WorkerMetrics metrics, ILogger logger) : IDisposable
{
    private Ensemble? held;
    private Refused? heldRefusal;
    private bool isLive;

    /// <summary>Takes or refuses a package. Never throws on its content.</summary>
    /// <param name="package">The record's value; it must not change afterwards.</param>
    /// <param name="headers">What the record says about it, for messages only.</param>
    public void Consider(ReadOnlyMemory<byte> package, ModelRecordHeaders headers)
    {
        Ensemble? ensemble = null;
        PackageRefusal? refusal;
        try
        {
            var reading = PackageVerifier.Verify(package, new VerificationPolicy
            {
                AcceptedKeys = keys,
                Service = service.Definition.Service,
                PlanDigest = service.Plan.Digest,
                SequenceMin = taken.Sequence,
                TakenSha256 = taken.Sha256,
                Now = clock.GetUtcNow(),
                Limits = ModelsTopic.Limits,
            });
            ensemble = reading.Ensemble;
            refusal = reading.Refusal ?? ModelWarmUp.Run(ensemble!, rowsMax);
        }
        catch (Exception mistake) // A package must not end the thread that reads them, whatever a library makes of it.
        {
            LogMessages.OfferFailed(logger, headers.Version, mistake.Message, mistake);
            refusal = new(PackageRefusalCode.ModelRefused, $"the model cannot be loaded: {mistake.Message}");
        }

        if (refusal is not null)
        {
            ensemble?.Dispose();
            Refuse(new(headers, refusal));
            return;
        }

        taken.Raise(ensemble!.Package.Manifest.Sequence, ensemble.Sha256);
        heldRefusal = null;
        if (isLive)
        {
            Serve(ensemble);
        }
        else
        {
            held?.Dispose();
            held = ensemble;
        }
    }

    /// <summary>The channel offers nothing any more. What scores goes on; a worker that starts later finds no package.</summary>
    public void Withdraw()
    {
        held?.Dispose();
        held = null;
        heldRefusal = null;
        if (isLive)
        {
            metrics.ModelOffers.WithLabels("withdrawn").Inc();
            metrics.ModelOfferRefused.Set(0);
            LogMessages.ModelWithdrawn(logger, service.Topics.ModelsKey);
        }
    }

    /// <summary>History is over: what is held scores from now on, and offers are answered as they come.</summary>
    public void GoLive()
    {
        isLive = true;
        if (held is { } ensemble)
        {
            held = null;
            Serve(ensemble);
        }

        if (heldRefusal is { } refused)
        {
            Refuse(refused);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => held?.Dispose();

    private void Serve(Ensemble ensemble)
    {
        metrics.ModelOfferRefused.Set(0);
        if (string.Equals(service.Models.Sha256, ensemble.Sha256, StringComparison.Ordinal))
        {
            ensemble.Dispose();
            metrics.ModelOffers.WithLabels("unchanged").Inc();
            return;
        }

        metrics.ModelOffers.WithLabels("taken").Inc();
        ModelLoader.Serve(service, ensemble, clock, metrics, logger);
    }

    private void Refuse(Refused offer)
    {
        if (!isLive)
        {
            heldRefusal = offer;
            return;
        }

        string reason = offer.Refusal.Code.Wire();
        metrics.ModelOffers.WithLabels("refused").Inc();
        metrics.ModelRefusals.WithLabels(reason).Inc();
        metrics.ModelOfferRefused.Set(1);
        LogMessages.ModelRefused(logger, offer.Headers.Version, offer.Headers.Sequence, reason, offer.Refusal.Sentence);
    }

    private sealed record Refused(ModelRecordHeaders Headers, PackageRefusal Refusal);
}
