using Confluent.Kafka;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>Output exactly once: a transaction's records and the input offsets behind them are committed together or not at all.</summary>
/// <remarks>
/// One transaction at a time. It begins with its first record. A commit has three steps, each of which may ask to be called again: what
/// is queued is sent, the offsets join the transaction, the transaction ends. Until it has ended nothing more is taken.
/// <para>Offsets are sent while records are on their way, once the first of them is acknowledged (docs/decisions/0022). Earlier the broker may still be at work on the transaction before, and the client
/// asks again only after <c>retry.backoff.ms</c>.</para>
/// </remarks>
internal sealed class TransactionalOutput : LaneOutput
{
    /// <summary>A commit that took longer than this may have been asked for twice, since the client asks again after 0.8 × <c>retry.backoff.ms</c> at the earliest; the second request can end the next transaction.</summary>
    public static readonly TimeSpan GhostAfter = TimeSpan.FromMilliseconds(400);

    private static readonly TimeSpan CallBound = TimeSpan.FromSeconds(1);

    /// <summary>Longer than the others: past it the client gives the transaction up, and a coordinator that answers late each time would never be done. It repeats every 500 ms.</summary>
    private static readonly TimeSpan OffsetsBound = TimeSpan.FromSeconds(2);

    /// <summary>Of an abort that only has to begin. It takes longer where records are on their way to a broker that does not answer.</summary>
    private static readonly TimeSpan LeaveBound = TimeSpan.FromMilliseconds(100);

    /// <summary>A flush of 1 ms was over before the client's thread looked: in one run a tenth of the commits took until <c>linger.ms</c>. With 2 ms that was not seen.</summary>
    private static readonly TimeSpan FlushTime = TimeSpan.FromMilliseconds(2);

    /// <summary>Sets what is queued going where nothing of it is waited for: what is missed is made up for by the flush that follows.</summary>
    private static readonly TimeSpan Nudge = TimeSpan.FromMilliseconds(1);

    /// <summary>So long after the first record the partitions of a transaction have usually joined it.</summary>
    private static readonly TimeSpan JoinTime = TimeSpan.FromMilliseconds(4);

    /// <summary>
    /// How often it is looked whether the broker has everything: nothing wakes the one who waits. Between flushes, for while one is under way and a partition has a batch to send behind
    /// another that is on its way, the client's thread asks without pause whether it may (docs/decisions/0014).
    /// </summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(1);

    /// <summary>Most looks without news before it is flushed again.</summary>
    private const int LooksMax = 16;

    private readonly Func<IProducer<byte[], byte[]>> build;
    private readonly HashSet<int> written = [];
    private readonly PlantedBug planted;
    private IProducer<byte[], byte[]>? producer;
    private DirectProduce? direct;
    private Step step;
    private bool isOpen;
    private long openedAt;
    private int records;
    private long bytes;
    private IReadOnlyList<TopicPartitionOffset> offsets = [];
    private IConsumerGroupMetadata? member;
    private bool wasSentAhead;
    private bool isBeside;
    private long sendSince;
    private long offsetsSince;
    private TimeSpan? offsetsTook;
    private long endSince;
    private long restsUntil;

    /// <summary>Starts without a producer: <see cref="TryInitialise"/> makes it.</summary>
    /// <param name="build">Builds a transactional producer, always with the same identifier.</param>
    /// <param name="inFlightMax">Most records of a transaction.</param>
    /// <param name="clock">Measures waits.</param>
    /// <param name="planted">A mistake that a test wants.</param>
    public TransactionalOutput(Func<IProducer<byte[], byte[]>> build, int inFlightMax, TimeProvider clock, PlantedBug planted = PlantedBug.None)
        : base(inFlightMax, clock)
    {
        this.build = build;
        this.planted = planted;
    }

    private enum Step
    {
        None,
        Sending,
        Ending,
    }

    /// <summary>What the last step that failed said.</summary>
    public Error? LastError { get; private set; }

    /// <summary>Records of the open transaction.</summary>
    public override int InFlight => records;

    /// <summary>Whether records can be handed over now: there is a producer, and no commit is under way.</summary>
    public override bool TakesRecords => IsReady && step == Step.None && !IsUnknown && !IsHeld && (restsUntil == 0 || HasRested());

    /// <inheritdoc/>
    public override bool HasRoom => TakesRecords && !IsFull;

    /// <summary>Whether the transaction is as large as it may become.</summary>
    public bool IsFull => records >= InFlightMax || bytes >= BytesMax;

    /// <summary>Whether there is a producer that may begin transactions.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Whether it is not known if the last transaction was committed: until it is, nothing may follow it.</summary>
    public bool IsUnknown { get; private set; }

    /// <summary>Whether no transaction may begin until it is known that what was taken back is closed everywhere.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>Partitions, by number, that records went to since <see cref="Release"/>, in whichever topic.</summary>
    public IReadOnlyCollection<int> Written => written;

    /// <summary>Whether a transaction is open.</summary>
    public bool IsOpen => isOpen;

    /// <summary>Transactions that were opened so far.</summary>
    public long Opened { get; private set; }

    /// <summary>How long the steps of the last commit took: what was queued to be sent and acknowledged, beyond the time of the offsets; the offsets to join; the transaction to end.</summary>
    public (TimeSpan Send, TimeSpan Offsets, TimeSpan End) StepTimes { get; private set; }

    /// <summary>Since when the transaction is open, or how long the last one was up to now.</summary>
    public TimeSpan OpenFor => Clock.GetElapsedTime(openedAt);

    /// <summary>Whether another producer has the identifier, or the broker has forgotten this one: as a record or an abort was told.</summary>
    public bool IsFenced { get; private set; }

    /// <summary>Whether a commit is under way and is to be called again.</summary>
    public bool IsCommitting => step != Step.None;

    /// <summary>Makes the producer, fences an earlier one of the same identifier and waits until that one's transaction is decided.</summary>
    /// <returns>False when the broker did not answer within the bound: to be called again.</returns>
    /// <exception cref="KafkaException">Another producer took the identifier meanwhile, or a right is missing.</exception>
    public bool TryInitialise(TimeSpan bound)
    {
        if (producer is null)
        {
            producer = build();
            direct = DirectProduce.Of(producer);
        }

        try
        {
            producer.InitTransactions(bound);
        }
        catch (KafkaRetriableException)
        {
            return false;
        }
        catch (KafkaException error) when (!error.Error.IsFatal && error.Error.Code is ErrorCode.Local_TimedOut)
        {
            return false;
        }
        catch
        {
            Replace();
            throw;
        }

        IsReady = true;
        return true;
    }

    /// <summary>Serves the client; a transactional producer reports nothing of single records.</summary>
    public override void Poll(TimeSpan wait) => producer?.Poll(wait);

    /// <summary>Begins to commit.</summary>
    /// <param name="positions">Next offset to process of every partition.</param>
    /// <param name="memberNow">Membership of the reader, as of now.</param>
    /// <param name="tookTooLong">Whether a request may have been made twice: the producer is to be replaced, after a commit as after an abort.</param>
    public TransactionAnswer Commit(IReadOnlyList<TopicPartitionOffset> positions, IConsumerGroupMetadata memberNow, out bool tookTooLong)
    {
        offsets = positions;
        member = memberNow;
        Begin();
        step = Step.Sending;
        sendSince = Clock.GetTimestamp();
        return GoOn(out tookTooLong);
    }

    /// <summary>Goes on with a commit that is under way.</summary>
    /// <param name="tookTooLong">As of <see cref="Commit"/>.</param>
    public TransactionAnswer GoOn(out bool tookTooLong)
    {
        var answer = Send();
        if (answer == TransactionAnswer.Done)
        {
            answer = End();
        }

        tookTooLong = answer != TransactionAnswer.CallAgain && ((offsetsTook ?? TimeSince(offsetsSince)) > GhostAfter || TimeSince(endSince) > GhostAfter);
        if (answer == TransactionAnswer.Done)
        {
            var joining = offsetsTook!.Value;
            StepTimes = (Clock.GetElapsedTime(sendSince, endSince) - joining, joining, TimeSince(endSince));
            Forget();
        }

        return answer;
    }

    /// <summary>
    /// Sends what was produced so far, once in a transaction, when its partitions have had time to join it. Of each partition's first records a broker asks the coordinator whether they
    /// belong to a transaction (KIP-890), one request of a connection after the other; the commit then has the others to wait for only (docs/decisions/0023).
    /// </summary>
    public void SendAhead()
    {
        if (isOpen && !wasSentAhead && OpenFor >= JoinTime)
        {
            wasSentAhead = true;
            producer!.Flush(FlushTime);
        }
    }

    /// <summary>Ends a commit of which nothing was committed; the transaction is still open.</summary>
    public void GiveUpCommit() => step = Step.None;

    /// <summary>Aborts the open transaction.</summary>
    /// <returns>False when that is not certain: the producer is to be replaced, which aborts it too.</returns>
    public bool TryAbort()
    {
        if (!isOpen)
        {
            Forget();
            return IsReady;
        }

        bool areAllThere = offsetsSince != 0 && !isBeside;
        if (!areAllThere && Settle() is var reason and not TransactionAnswer.Done)
        {
            IsFenced |= reason == TransactionAnswer.Fenced;
            return false;
        }

        long started = Clock.GetTimestamp();
        while (Clock.GetElapsedTime(started) < GhostAfter)
        {
            try
            {
                producer!.AbortTransaction(CallBound);
                Forget();
                return Clock.GetElapsedTime(started) < GhostAfter;
            }
            catch (KafkaRetriableException)
            {
                // The same call again.
            }
            catch (KafkaException error)
            {
                IsFenced |= TransactionErrors.OfOffsets(error) == TransactionAnswer.Fenced;
                return false; // A fenced producer cannot even abort.
            }
        }

        return false;
    }

    /// <summary>The last transaction may be committed or not.</summary>
    public void Doubt() => IsUnknown = true;

    /// <summary>It is known what became of it.</summary>
    public void Resolve() => IsUnknown = false;

    /// <summary>Something was taken back: nothing begins before <see cref="Release"/>.</summary>
    public void Hold() => IsHeld = true;

    /// <summary>All that was written is closed everywhere.</summary>
    public void Release()
    {
        IsHeld = false;
        written.Clear();
    }

    /// <summary>Takes no records for a while: what failed would fail again at once.</summary>
    public void Rest(TimeSpan time) => restsUntil = Clock.GetTimestamp() + (long)(time.TotalSeconds * Clock.TimestampFrequency);

    /// <summary>Gives the producer up, its open transaction with it; the next is made by <see cref="TryInitialise"/>.</summary>
    public void Replace()
    {
        IsReady = false;
        IsFenced = false;
        LeaveProducer();
        Forget();
    }

    /// <inheritdoc/>
    public override void Dispose() => LeaveProducer();

    /// <inheritdoc/>
    protected override void Hand(OutgoingRecord record)
    {
        if (!TakesRecords)
        {
            throw new TransactionBroken("a record came while no transaction can take it");
        }

        Begin();
        bool isSwallowed = planted == PlantedBug.SwallowedRecord && records == 16;
        if (isSwallowed)
        {
            // Nobody is told.
        }
        else if (direct is not null)
        {
            direct.Produce(record);
        }
        else
        {
            producer!.Produce(record.Target, AsMessage(record));
        }

        written.Add(record.Target.Partition.Value);
        records++;
        bytes += record.Length;
    }

    /// <summary>Sends: batches that are not full would wait for the commit, which is not near while a batch in hand is published.</summary>
    protected override void MakeRoom() => producer!.Flush(FlushTime);

    /// <inheritdoc/>
    protected override Exception Refused(TopicPartition target, ProduceException<byte[], byte[]> refused)
    {
        var answer = TransactionErrors.OfProduce(refused.Error);
        IsFenced |= answer == TransactionAnswer.Fenced;
        if (answer is TransactionAnswer.Stop or TransactionAnswer.AbortTooLarge)
        {
            return base.Refused(target, refused);
        }

        var why = Refusal() == TransactionAnswer.Done ? refused.Error : LastError!; // "A wrong state" where a record was refused before.
        return new TransactionBroken($"a record for {target.Topic} cannot be produced: {why.Reason}", refused);
    }

    /// <summary>Disposes of the producer, never while a partition may be joining a transaction of it.</summary>
    /// <remarks>
    /// librdkafka 2.16 counts the request by which partitions join after it has handed it over, and a client that is terminating answers it at once, in another thread: the count is then below nothing and
    /// an assertion ends the process (<c>txn_req_cnt > 0</c> in <c>rd_kafka_txn_handle_AddPartitionsToTxn</c>; docs/decisions/0027). Once an abort has begun it makes no such request. How it ends does not matter:
    /// the next producer of the identifier ends the transaction too. Where the end was asked for everything has joined, and an abort would be in its way.
    /// </remarks>
    private void LeaveProducer()
    {
        try
        {
            if (isOpen && endSince == 0)
            {
                producer!.AbortTransaction(LeaveBound);
            }
        }
        catch (KafkaException)
        {
            // It has begun, if the client's thread had its turn in that time, or there was nothing to begin with.
        }
        finally
        {
            (isOpen, direct) = (false, null);
            producer?.Dispose();
            producer = null;
        }
    }

    private void Begin()
    {
        if (isOpen)
        {
            return;
        }

        try
        {
            producer!.BeginTransaction();
            (isOpen, openedAt) = (true, Clock.GetTimestamp());
            Opened++;
        }
        catch (KafkaException error)
        {
            IsReady = false; // There is nothing to abort: only another producer helps.
            IsFenced |= TransactionErrors.OfProduce(error.Error) == TransactionAnswer.Fenced;
            throw new TransactionBroken($"no transaction can begin: {error.Error.Reason}", error);
        }
    }

    /// <summary>Sends everything that was produced and the offsets, and waits until the broker has both.</summary>
    private TransactionAnswer Send()
    {
        if (step != Step.Sending)
        {
            return TransactionAnswer.Done;
        }

        long started = Clock.GetTimestamp();
        if (offsetsTook is null)
        {
            if (!AwaitAcknowledged(CallBound, left: Math.Max(0, records - 1)))
            {
                return TransactionAnswer.CallAgain;
            }

            isBeside |= Waiting > 0;
            if (SendOffsets() is var joining and not TransactionAnswer.Done)
            {
                return joining;
            }
        }

        if (!AwaitAcknowledged(CallBound - Clock.GetElapsedTime(started), left: 0))
        {
            return TransactionAnswer.CallAgain;
        }

        if (isBeside && Refusal() is var refusal and not TransactionAnswer.Done)
        {
            return refusal;
        }

        step = Step.Ending;
        endSince = Clock.GetTimestamp();
        return TransactionAnswer.Done;
    }

    /// <summary>Has what was produced sent, and waits until no more is left that the broker has not acknowledged.</summary>
    /// <returns>False when the time was over before that.</returns>
    private bool AwaitAcknowledged(TimeSpan bound, int left)
    {
        long started = Clock.GetTimestamp();
        int looks = 1;
        int waiting = producer!.Flush(Waiting > left ? FlushTime : Nudge);
        while (waiting > left)
        {
            if (Clock.GetElapsedTime(started) > bound)
            {
                return false;
            }

            int before = waiting;
            for (int look = 0; look < looks && waiting == before; look++)
            {
                producer.Poll(Look);
                waiting = Waiting;
            }

            if (waiting < before)
            {
                looks = 1;
            }
            else
            {
                waiting = producer.Flush(FlushTime); // What waits behind a batch on its way goes with another flush only.
                looks = Math.Min(2 * looks, LooksMax);
            }
        }

        return true;
    }

    private TransactionAnswer SendOffsets()
    {
        offsetsSince = offsetsSince == 0 ? Clock.GetTimestamp() : offsetsSince;
        try
        {
            producer!.SendOffsetsToTransaction(offsets, member, OffsetsBound);
            offsetsTook = Clock.GetElapsedTime(offsetsSince);
            return TransactionAnswer.Done;
        }
        catch (KafkaException error)
        {
            LastError = error.Error;
            var answer = TransactionErrors.OfOffsets(error);
            if (isBeside && answer is TransactionAnswer.Abort or TransactionAnswer.AbortNotOwner && Refusal() is var refusal and not TransactionAnswer.Done)
            {
                return refusal; // It made the call fail with "a wrong state".
            }

            return answer;
        }
    }

    /// <summary>Whether a record was refused while the offsets joined, or after. The call that ends the transaction would say it too, but among errors after which it may be committed.</summary>
    /// <remarks>
    /// Asked by beginning what is begun already; never while another call is to be gone on with. librdkafka 2.16 (<c>rd_kafka_txn_require_states0</c>) answers <see cref="ErrorCode.Local_State"/> while all is well, and with the refusal
    /// where there is one; it has noted that before it counts the record as done.
    /// </remarks>
    private TransactionAnswer Refusal()
    {
        try
        {
            producer!.BeginTransaction();
            return TransactionAnswer.Unknown; // There was none any more.
        }
        catch (KafkaException none) when (none.Error.Code == ErrorCode.Local_State)
        {
            return TransactionAnswer.Done;
        }
        catch (KafkaException error)
        {
            LastError = error.Error;
            return TransactionErrors.OfOffsets(error);
        }
    }

    /// <summary>Has everything sent before an abort, and waits until the broker has it.</summary>
    /// <remarks>
    /// What librdkafka has not sent an abort takes back, as does the refusal of a record or of the offsets, and it numbers the next records as those. It takes for such also what it has sent and got no answer to; a
    /// broker that has those takes the next for repeats, and they would be missing (docs/decisions/0023).
    /// </remarks>
    /// <returns>Done when the broker has all of it and refused nothing.</returns>
    private TransactionAnswer Settle()
    {
        var refusal = Refusal();
        if (refusal != TransactionAnswer.Done)
        {
            return refusal;
        }

        return AwaitAcknowledged(GhostAfter, left: 0) ? Refusal() : TransactionAnswer.CallAgain;
    }

    private TransactionAnswer End()
    {
        try
        {
            producer!.CommitTransaction(CallBound);
            return TransactionAnswer.Done;
        }
        catch (KafkaException error)
        {
            LastError = error.Error;
            return TransactionErrors.OfCommit(error);
        }
    }

    /// <summary>How long ago a step began; nothing where it has not.</summary>
    private TimeSpan TimeSince(long began) => began == 0 ? TimeSpan.Zero : Clock.GetElapsedTime(began);

    /// <summary>Records that the broker has not acknowledged.</summary>
    private int Waiting => direct?.Waiting ?? producer!.Flush(TimeSpan.Zero);

    private bool HasRested()
    {
        if (Clock.GetTimestamp() < restsUntil)
        {
            return false;
        }

        restsUntil = 0;
        return true;
    }

    private void Forget()
    {
        step = Step.None;
        isOpen = false;
        (wasSentAhead, isBeside) = (false, false);
        (offsetsSince, offsetsTook, endSince) = (0, null, 0);
        records = 0;
        bytes = 0;
        offsets = [];
        member = null;
    }
}
