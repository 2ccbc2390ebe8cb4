using Prometheus;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;

namespace Scoring.Worker.Operations;

/// <summary>Every metric of the worker. Labels come from closed sets; a series exists from the start, at zero.</summary>
internal sealed class WorkerMetrics
{
    private static readonly double[] LatencyBuckets = [.0005, .001, .002, .005, .01, .02, .035, .05, .075, .1, .15, .25, .5, 1, 2.5];
    private static readonly double[] CommitBuckets = [.001, .002, .003, .004, .006, .01, .015, .025, .05, .1, .25, .5, 1, 5];
    private static readonly double[] StageBuckets = [.00001, .00002, .00005, .0001, .0002, .0005, .001, .002, .005, .01, .02, .05, .1];

    private readonly MetricFactory factory;

    /// <summary>Registers them all.</summary>
    public WorkerMetrics(CollectorRegistry registry)
    {
        Registry = registry;
        factory = Metrics.WithCustomRegistry(registry);
        EventsConsumed = Counter("events_consumed_total", "Records read, by input.", "topic");
        EventsScored = Counter("events_scored_total", "Scores published, by decision.", "decision");
        DeadLetters = Counter("events_deadlettered_total", "Refused records, by code.", "reason");
        Labels = Counter("labels_total", "Labels by what became of them.", "outcome");
        Duplicates = factory.CreateCounter("fraudscoring_duplicates_total", "Transactions that came before and got their answer again; not among the scored.");
        Alerts = factory.CreateCounter("fraudscoring_alerts_produced_total", "Alerts published.");
        Fallback = Counter("fallback_total", "Scores that the full ensemble did not make or that are stale, by reason.", "reason");
        CircuitOpen = factory.CreateGauge("fraudscoring_circuit_open", "1 while the network is left out.");
        NetworkLate = factory.CreateCounter("fraudscoring_network_late_total", "Runs of the network that took longer than allowed; their answers were used.");
        StageDuration = factory.CreateHistogram("fraudscoring_stage_duration_seconds", "Time of one stage for one micro-batch.", ["stage"], new HistogramConfiguration { Buckets = StageBuckets });
        ProcessingDuration = factory.CreateHistogram("fraudscoring_processing_duration_seconds", "From taking a micro-batch to handing its results to the producer.", new HistogramConfiguration { Buckets = LatencyBuckets });
        EventLatency = factory.CreateHistogram("fraudscoring_event_latency_seconds", "From the record's time stamp to its score handed to the producer; one sample for each micro-batch, its oldest row.", new HistogramConfiguration { Buckets = LatencyBuckets });
        BatchSize = factory.CreateHistogram("fraudscoring_inference_batch_size", "Rows scored at once.", new HistogramConfiguration { Buckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096] });
        Score = factory.CreateHistogram("fraudscoring_score", "Calibrated probabilities.", new HistogramConfiguration { Buckets = [.01, .05, .1, .2, .3, .4, .5, .6, .7, .8, .9, .95, .99] });
        InFlight = Gauge("inflight_events", "Output records not yet acknowledged.", "lane");
        Lag = Gauge("kafka_consumer_lag", "Records between what is processed and the end of the partition.", "topic", "partition");
        LastEventTime = Gauge("last_event_timestamp_seconds", "Time of the newest event processed, seconds since 1970.", "topic", "partition");
        AggregatesBehind = Gauge("aggregates_behind_seconds", "Event time by which the slowest partition was behind a score of the last second (stale_aggregates); infinite for one that has never spoken; 0 while none was.", "lane");
        Watermark = Gauge("watermark_timestamp_seconds", "Event time up to which a partition has told the others, seconds since 1970.", "partition");
        Rebalances = factory.CreateCounter("fraudscoring_kafka_rebalances_total", "Assignments and revocations seen.");
        ReadErrors = factory.CreateCounter("fraudscoring_kafka_consume_errors_total", "Errors of readers that did not end a lane.");
        CommitFailures = factory.CreateCounter("fraudscoring_kafka_commit_failures_total", "Commits that were refused or lost.");
        Transactions = Counter("transactions_total", "Kafka transactions of lanes, by outcome.", "outcome");
        CommitDuration = factory.CreateHistogram("fraudscoring_commit_duration_seconds", "From the beginning of a commit until the broker has it: output sent, offsets added, transaction ended.", new HistogramConfiguration { Buckets = CommitBuckets });
        CommitStepDuration = factory.CreateHistogram("fraudscoring_commit_step_duration_seconds", "Parts of a commit: offsets (they join the transaction, while records are on their way), send (what else it takes until what is queued is acknowledged), end (the broker has decided it).", ["step"], new HistogramConfiguration { Buckets = CommitBuckets });
        ProducerReplacements = Counter("producer_replacements_total", "Transactional producers given up for a new one, by cause.", "cause");
        Fences = factory.CreateCounter("fraudscoring_fences_total", "Times that another process used this one's transactional identifier, or the broker had forgotten it.");
        InputGap = factory.CreateCounter("fraudscoring_input_gap_records_total", "Records that retention removed before they were read.");
        AggregatesWait = factory.CreateHistogram("fraudscoring_aggregates_wait_seconds", "Time a lane that reads history stood still for the watermarks of others.", new HistogramConfiguration { Buckets = [.001, .005, .01, .05, .1, .5, 1, 5, 10, 30, 60] });
        RestoreRemaining = Gauge("restore_remaining_records", "Records still to read until a partition's state is rebuilt.", "partition");
        StateEntries = Gauge("state_entries", "Keys held.", "partition");
        StateBytes = Gauge("state_bytes", "Bytes of state.", "partition");
        StateKeysAdded = factory.CreateCounter("fraudscoring_state_keys_added_total", "Keys that came anew.");
        StateRecordsWritten = factory.CreateCounter("fraudscoring_state_records_written_total", "Records written to the state topic, those of transactions that were taken back among them.");
        StateRecordsRestored = factory.CreateCounter("fraudscoring_state_records_restored_total", "Records read from the state topic.");
        Checkpoints = Counter("checkpoints_total", "Checkpoint files of partitions by what became of them: written, failed (not written), loaded, refused (found and not used).", "outcome");
        StateEvictions = Counter("state_evictions_total", "Keys given up: expired behind every window, or at the limit of keys.", "store", "reason");
        StateEventsDropped = factory.CreateCounter("fraudscoring_state_events_dropped_total", "Events given up by a full ring although a window could still hold them: raise events_max.");
        EventsLate = Counter("events_late_total", "Events older than the newest of a key they belong to, once for each such key: put in their place in time, or too old to be kept.", "reason");
        LabelsWaiting = Gauge("labels_waiting", "Labels that wait for their transaction.", "partition");
        LabelsGivenUp = Counter("labels_given_up_total", "Labels without effect: no transaction came for them, or its event is no longer kept.", "reason");
        UnknownMembers = factory.CreateCounter("fraudscoring_event_members_unknown_total", "Members of events that the definition does not name: a sender may have changed its events.");
        SharedEntries = factory.CreateGauge("fraudscoring_shared_entries", "Keys of shared entities held, of all partitions.");
        AggregatesIgnored = factory.CreateCounter("fraudscoring_aggregates_ignored_total", "Records of the aggregates topic that are not of this version and definition.");
        ModelInfo = Gauge("model_info", "1 for the model that scores.", "model_version", "sha256_12");
        ModelLoaded = factory.CreateGauge("fraudscoring_model_loaded", "1 when a model scores, 0 when rules alone decide.");
        ModelSequence = factory.CreateGauge("fraudscoring_model_sequence", "Sequence of the package that scores; workers of one service show the same.");
        ModelSince = factory.CreateGauge("fraudscoring_model_since_timestamp_seconds", "When the model began to score here, seconds since 1970.");
        ModelHandover = factory.CreateHistogram("fraudscoring_model_handover_seconds", "Time a lane stood still between two micro-batches to take another model.", new HistogramConfiguration { Buckets = StageBuckets });
        ModelExpires = factory.CreateGauge("fraudscoring_model_expires_timestamp_seconds", "When the package that scores expires, seconds since 1970; 0 when it does not. An expired one goes on scoring, but no restart takes it.");
        ModelsFollowed = factory.CreateGauge("fraudscoring_models_followed", "1 while the models topic is read.");
        ModelOffers = Counter("model_offers_total", "Records of the models topic for this service and channel, by what became of them.", "outcome");
        ModelRefusals = Counter("model_refusals_total", "Packages refused, by the check that failed.", "reason");
        ModelOfferRefused = factory.CreateGauge("fraudscoring_model_offer_refused", "1 while the newest package of the channel is one that was refused here.");
        Device = new DeviceMetrics(factory);
        BuildInfo = Gauge("build_info", "1 for the build that runs.", "version", "commit");
        foreach (string decision in new[] { "approve", "review", "decline" })
        {
            EventsScored.WithLabels(decision);
        }

        foreach (string stage in new[] { "features", "inference", "decide", "produce" })
        {
            StageDuration.WithLabels(stage);
        }

        foreach (string step in new[] { "send", "offsets", "end" })
        {
            CommitStepDuration.WithLabels(step);
        }

        foreach (string outcome in new[] { "committed", "aborted", "unknown" })
        {
            Transactions.WithLabels(outcome);
        }

        foreach (string cause in new[] { "slow", "abort", "fenced", "unknown" })
        {
            ProducerReplacements.WithLabels(cause);
        }

        foreach (string reason in new[] { "no_model", "network_failed", "network_no_number", "trees_failed", "stale_aggregates" })
        {
            Fallback.WithLabels(reason);
        }

        foreach (string reason in new[] { "reordered", "too_old" })
        {
            EventsLate.WithLabels(reason);
        }

        foreach (string reason in new[] { "unmatched", "out_of_reach" })
        {
            LabelsGivenUp.WithLabels(reason);
        }

        foreach (var (store, reason) in new[] { ("partition", "expired"), ("partition", "limit"), ("shared", "limit") })
        {
            StateEvictions.WithLabels(store, reason);
        }

        foreach (string outcome in new[] { "written", "failed", "loaded", "refused" })
        {
            Checkpoints.WithLabels(outcome);
        }

        foreach (string outcome in new[] { "taken", "unchanged", "refused", "withdrawn" })
        {
            ModelOffers.WithLabels(outcome);
        }

        foreach (var code in Enum.GetValues<PackageRefusalCode>())
        {
            ModelRefusals.WithLabels(code.Wire());
        }

        foreach (var code in Enum.GetValues<RefusalCode>())
        {
            if (code != RefusalCode.None)
            {
                DeadLetters.WithLabels(RefusalTexts.Wire(code));
            }
        }
    }

    /// <summary>What <c>/metrics</c> shows.</summary>
    public CollectorRegistry Registry { get; }

    public Counter EventsConsumed { get; }

    public Counter EventsScored { get; }

    public Counter DeadLetters { get; }

    public Counter Labels { get; }

    public Counter Duplicates { get; }

    public Counter Alerts { get; }

    public Counter Fallback { get; }

    public Gauge CircuitOpen { get; }

    public Counter NetworkLate { get; }

    public Histogram StageDuration { get; }

    public Histogram ProcessingDuration { get; }

    public Histogram EventLatency { get; }

    public Histogram BatchSize { get; }

    public Histogram Score { get; }

    public Gauge InFlight { get; }

    public Gauge Lag { get; }

    public Gauge LastEventTime { get; }

    public Gauge AggregatesBehind { get; }

    public Gauge Watermark { get; }

    public Counter Rebalances { get; }

    public Counter ReadErrors { get; }

    public Counter CommitFailures { get; }

    public Counter Transactions { get; }

    public Histogram CommitDuration { get; }

    public Histogram CommitStepDuration { get; }

    public Counter ProducerReplacements { get; }

    public Counter Fences { get; }

    public Counter InputGap { get; }

    public Histogram AggregatesWait { get; }

    public Gauge RestoreRemaining { get; }

    public Gauge StateEntries { get; }

    public Gauge StateBytes { get; }

    public Counter StateKeysAdded { get; }

    public Counter StateRecordsWritten { get; }

    public Counter StateRecordsRestored { get; }

    public Counter Checkpoints { get; }

    public Counter StateEvictions { get; }

    public Counter StateEventsDropped { get; }

    public Counter EventsLate { get; }

    public Gauge LabelsWaiting { get; }

    public Counter LabelsGivenUp { get; }

    public Counter UnknownMembers { get; }

    public Gauge SharedEntries { get; }

    public Counter AggregatesIgnored { get; }

    public Gauge ModelInfo { get; }

    public Gauge ModelLoaded { get; }

    public Gauge ModelSequence { get; }

    public Gauge ModelSince { get; }

    public Histogram ModelHandover { get; }

    public Gauge ModelExpires { get; }

    public Gauge ModelsFollowed { get; }

    public Counter ModelOffers { get; }

    public Counter ModelRefusals { get; }

    public Gauge ModelOfferRefused { get; }

    public Gauge BuildInfo { get; }

    /// <summary>Those of a device that scores.</summary>
    public DeviceMetrics Device { get; }

    /// <summary>Shows which package scores from now on.</summary>
    public void TellModel(ModelPackage package, DateTimeOffset now)
    {
        string[] labels = [package.Manifest.Version, package.Sha256[..12]];
        ModelInfo.WithLabels(labels).Set(1);
        foreach (string[] before in ModelInfo.GetAllLabelValues())
        {
            if (!before.AsSpan().SequenceEqual(labels))
            {
                ModelInfo.RemoveLabelled(before);
            }
        }

        ModelLoaded.Set(1);
        ModelSequence.Set(package.Manifest.Sequence);
        ModelSince.Set(now.ToUnixTimeMilliseconds() / 1_000.0);
        ModelExpires.Set(package.Manifest.Expires?.ToUnixTimeSeconds() ?? 0);
    }

    /// <summary>Shows, whenever somebody looks, what the partitions have told each other so far.</summary>
    public void Follow(SharedAggregates shared)
    {
        var evicted = StateEvictions.WithLabels("shared", "limit");
        Registry.AddBeforeCollectCallback(() =>
        {
            SharedEntries.Set(shared.KeyCount);
            evicted.IncTo(shared.KeysEvicted);
            AggregatesIgnored.IncTo(shared.Ignored);
        });
    }

    private Counter Counter(string name, string help, params string[] labels) => factory.CreateCounter("fraudscoring_" + name, help, labels);

    private Gauge Gauge(string name, string help, params string[] labels) => factory.CreateGauge("fraudscoring_" + name, help, labels);
}
