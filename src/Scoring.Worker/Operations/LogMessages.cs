using Microsoft.Extensions.Logging;

namespace Scoring.Worker.Operations;

/// <summary>Every line the worker logs. None holds an identifier, an amount or a value of an event.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(100, LogLevel.Information, "Service {Service} version {Version} (definition {Definition}): {Lanes} lanes over {Partitions} partitions of {Topic}, group {Group}")]
    public static partial void Starting(ILogger logger, string service, int version, string definition, int lanes, int partitions, string topic, string group);

    [LoggerMessage(101, LogLevel.Information, "Metrics and health answer at {Address}")]
    public static partial void Answering(ILogger logger, string address);

    [LoggerMessage(102, LogLevel.Information, "Stopping: finishing the batch, waiting for acknowledgements, committing")]
    public static partial void Draining(ILogger logger);

    [LoggerMessage(103, LogLevel.Information, "Stopped: {Scored} scored, {Refused} refused")]
    public static partial void Stopped(ILogger logger, long scored, long refused);

    [LoggerMessage(104, LogLevel.Warning, "The topic of labels {Topic} is not there: label features see no labels")]
    public static partial void LabelsMissing(ILogger logger, string topic);

    [LoggerMessage(110, LogLevel.Information, "Model {Name} {Version} scores (sha256 {Sha256}, sequence {Sequence})")]
    public static partial void ModelServing(ILogger logger, string name, string version, string sha256, long sequence);

    [LoggerMessage(111, LogLevel.Warning, "No model: rules alone decide, every score is marked degraded ({Reason})")]
    public static partial void NoModel(ILogger logger, string reason);

    [LoggerMessage(112, LogLevel.Warning, "Scoring step {Step} failed: {Reason}; the next step of the ladder answers")]
    public static partial void StepFailed(ILogger logger, string step, string reason);

    [LoggerMessage(113, LogLevel.Warning, "Network circuit {State}")]
    public static partial void Circuit(ILogger logger, string state);

    [LoggerMessage(114, LogLevel.Warning, "Package {Version} (sequence {Sequence}) was refused, {Reason}: {Sentence}; the model that scores stays")]
    public static partial void ModelRefused(ILogger logger, string version, string sequence, string reason, string sentence);

    [LoggerMessage(115, LogLevel.Warning, "{Channel} offers no package any more; what scores goes on, a restart finds none")]
    public static partial void ModelWithdrawn(ILogger logger, string channel);

    [LoggerMessage(116, LogLevel.Error, "Package {Version} broke its loading: {Reason}")]
    public static partial void OfferFailed(ILogger logger, string version, string reason, Exception failure);

    [LoggerMessage(117, LogLevel.Error, "The reader of {Topic} ended: {Reason}; the model that scores stays, a newer one comes with the next start")]
    public static partial void ModelsNotFollowed(ILogger logger, string topic, string reason, Exception failure);

    [LoggerMessage(118, LogLevel.Information, "Models are not followed: {Reason}")]
    public static partial void ModelsLeftOut(ILogger logger, string reason);

    [LoggerMessage(119, LogLevel.Error, "The sequence that was taken could not be kept in {Path}: {Reason}; a restart may take an older package")]
    public static partial void SequenceNotKept(ILogger logger, string path, string reason);

    [LoggerMessage(150, LogLevel.Information, "Execution provider {Provider}, device {Device}: opened ({Library})")]
    public static partial void DeviceOpened(ILogger logger, string provider, int device, string library);

    [LoggerMessage(151, LogLevel.Information, "Model {Version} scores on {Provider} in micro-batches of at least {RowsMin} rows; the processor gave the same scores")]
    public static partial void DeviceScores(ILogger logger, string version, string provider, int rowsMin);

    [LoggerMessage(EventId = 152, Message = "The processor scores alone ({Reason}): {Sentence}")]
    public static partial void DeviceRefused(ILogger logger, LogLevel level, string reason, string sentence);

    [LoggerMessage(153, LogLevel.Warning, "Device circuit {State}")]
    public static partial void DeviceCircuit(ILogger logger, string state);

    [LoggerMessage(120, LogLevel.Information, "Lane {Lane} owns partition {Partition}: committed {Committed}, retained {Low} to {High}")]
    public static partial void Assigned(ILogger logger, int lane, int partition, long committed, long low, long high);

    [LoggerMessage(121, LogLevel.Information, "Lane {Lane} rebuilds state of partition {Partition}: offset {Offset} of {Target}")]
    public static partial void Rebuilding(ILogger logger, int lane, int partition, long offset, long target);

    [LoggerMessage(122, LogLevel.Information, "Lane {Lane} runs partition {Partition} from offset {Offset}")]
    public static partial void Running(ILogger logger, int lane, int partition, long offset);

    [LoggerMessage(123, LogLevel.Information, "Lane {Lane} gave up partition {Partition}")]
    public static partial void Revoked(ILogger logger, int lane, int partition);

    [LoggerMessage(124, LogLevel.Warning, "Lane {Lane} could not commit ({Code}: {Reason}); what came since is repeated if it must be")]
    public static partial void CommitFailed(ILogger logger, int lane, string code, string reason);

    [LoggerMessage(141, LogLevel.Warning, "Lane {Lane} takes its transaction back and does it again: {Reason}")]
    public static partial void TransactionAborted(ILogger logger, int lane, string reason);

    [LoggerMessage(143, LogLevel.Information, "Lane {Lane} read {Records} records of the state of partition {Partition} in {Seconds:0.0} s: {Found}, as of offset {Offset}")]
    public static partial void Restored(ILogger logger, int lane, int partition, long records, string found, long offset, double seconds);

    [LoggerMessage(142, LogLevel.Warning, "Lane {Lane} does not know whether its transaction is committed ({Reason}) and asks the broker")]
    public static partial void OutcomeUnknown(ILogger logger, int lane, string reason);

    [LoggerMessage(144, LogLevel.Information, "Checkpoint of partition {Partition}: {Records} records written, reading goes on at offset {Offset}; it took {Seconds:F1} s")]
    public static partial void CheckpointWritten(ILogger logger, int partition, long records, long offset, double seconds);

    [LoggerMessage(145, LogLevel.Information, "Checkpoint of partition {Partition}: {Records} records loaded in {Seconds:F1} s, the topic is read from offset {Offset} on")]
    public static partial void CheckpointLoaded(ILogger logger, int partition, long records, long offset, double seconds);

    [LoggerMessage(146, LogLevel.Warning, "Checkpoint of partition {Partition} is not used ({Path}: {Reason}); all of the topic is read")]
    public static partial void CheckpointRefused(ILogger logger, int partition, string path, string reason);

    [LoggerMessage(147, LogLevel.Warning, "Checkpoint of partition {Partition} could not be written ({Path}: {Reason}); a restart reads all of the topic")]
    public static partial void CheckpointFailed(ILogger logger, int partition, string path, string reason);

    [LoggerMessage(148, LogLevel.Warning, "No checkpoints: the broker tells no identifier of {Topic}, by which a topic made anew would be known")]
    public static partial void CheckpointsLeftOut(ILogger logger, string topic);

    [LoggerMessage(149, LogLevel.Information, "Others answer all partitions: checkpoints of {Partitions} of them ({Records} records) were fetched in {Seconds:F1} s before joining")]
    public static partial void WarmedUp(ILogger logger, int partitions, long records, double seconds);

    [LoggerMessage(125, LogLevel.Error, "Input of partition {Partition} is gone from offset {Expected} to {Found}: retention passed the reader")]
    public static partial void InputGap(ILogger logger, int partition, long expected, long found);

    [LoggerMessage(126, LogLevel.Warning, "A lane waited {Seconds} s for the watermarks of other partitions and goes on; its scores are marked")]
    public static partial void WaitGivenUp(ILogger logger, int seconds);

    [LoggerMessage(127, LogLevel.Critical, "Lane {Lane} ended: {Reason}")]
    public static partial void LaneFailed(ILogger logger, int lane, string reason, Exception failure);

    [LoggerMessage(129, LogLevel.Warning, "Lane {Lane} has committed everything but could not leave the group in time: its partitions move when its session ends")]
    public static partial void LeftLate(ILogger logger, int lane);

    [LoggerMessage(134, LogLevel.Warning, "{Count} lanes did not end within {Seconds} s of the signal: a broker does not answer; what is not committed is repeated")]
    public static partial void LanesLate(ILogger logger, int count, double seconds);

    [LoggerMessage(128, LogLevel.Warning, "Reading {Topic}: {Code}, {Reason}")]
    public static partial void ReadError(ILogger logger, string topic, string code, string reason);

    [LoggerMessage(130, LogLevel.Information, "Contributions restored: {Records} records of {Partitions} partitions")]
    public static partial void AggregatesRestored(ILogger logger, long records, int partitions);

    [LoggerMessage(132, LogLevel.Warning, "This group starts anew, but {Topic} could not be emptied of an earlier run's contributions: empty it before another worker joins")]
    public static partial void AggregatesKept(ILogger logger, string topic);

    [LoggerMessage(131, LogLevel.Critical, "The reader of contributions ended: {Reason}")]
    public static partial void ReaderFailed(ILogger logger, string reason, Exception failure);

    [LoggerMessage(154, LogLevel.Warning, "The process before this one ended with offsets {First} to {Last} of partition {Partition} in hand, {Deaths} times in a row by now: they are taken one by one")]
    public static partial void CrashSuspected(ILogger logger, int partition, long first, long last, long deaths);

    [LoggerMessage(155, LogLevel.Error, "Offset {Offset} of partition {Partition} is refused from now on (crash_suspect): {Deaths} times in a row the process ended with it in hand")]
    public static partial void CrashRefused(ILogger logger, int partition, long offset, long deaths);

    [LoggerMessage(157, LogLevel.Warning, "The broker refuses a record of lane {Lane} for its size each time: transactions become smaller until it is found")]
    public static partial void OversizedSought(ILogger logger, int lane);

    [LoggerMessage(158, LogLevel.Error, "Offset {Offset} of {Topic} [{Partition}] has an answer that its topic does not take: a dead letter takes its place (answer_too_large); where that was the answer, it goes without the record's bytes")]
    public static partial void OversizedFound(ILogger logger, string topic, int partition, long offset);

    [LoggerMessage(156, LogLevel.Warning, "What is in hand is not noted in {Directory} ({Reason}): a record that ends the process would end it each time")]
    public static partial void CrashesNotNoted(ILogger logger, string directory, string reason);

    [LoggerMessage(159, LogLevel.Warning, "{Client} has had no connection to a broker for {Seconds} s: it is told once more where they are")]
    public static partial void NoConnection(ILogger logger, string client, int seconds);

    [LoggerMessage(160, LogLevel.Warning, "The client was sent from offset {Position} of {Topic} [{Partition}] back to {Offset}: it goes on where it stood if the last record is still the same")]
    public static partial void SentBack(ILogger logger, string topic, int partition, long position, long offset);

    [LoggerMessage(161, LogLevel.Warning, "The log of {Topic} [{Partition}] that was read to offset {Position} is gone, made anew or cut (offset {Offset} was told): its labels are read from the first one on, those that are refused may get dead letters again")]
    public static partial void LabelsAnew(ILogger logger, string topic, int partition, long position, long offset);

    [LoggerMessage(162, LogLevel.Warning, "Lane {Lane}: the state of partition {Partition} has labels of {Former}, the definition names {Topic}: it is made anew from the retained input, with these")]
    public static partial void LabelsOfAnother(ILogger logger, int lane, int partition, string former, string topic);

    [LoggerMessage(EventId = 140, Message = "Kafka client, {Facility}: {Text}")]
    public static partial void KafkaClient(ILogger logger, LogLevel level, string facility, string text);
}
