namespace Scoring.Worker.Demo;

/// <summary>Every live payment of a demo: the truth, when it was sent, and what came back.</summary>
/// <remarks>The sender writes a payment before it sends it, the reader of scores answers it afterwards: one writer each, no lock.</remarks>
internal sealed class DemoLedger
{
    private readonly DemoPayment[] payments;
    private readonly TimeProvider clock;
    private long firstSequence = -1;
    private int noted;
    private int count;
    private long answered;
    private long alerted;
    private long repeated;

    /// <summary>Room for <paramref name="capacity"/> live payments.</summary>
    public DemoLedger(int capacity, TimeProvider clock)
    {
        payments = new DemoPayment[capacity];
        this.clock = clock;
    }

    /// <summary>Payments sent.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>Whether no more fits.</summary>
    public bool IsFull => noted == payments.Length;

    /// <summary>Payments answered.</summary>
    public long Answered => Interlocked.Read(ref answered);

    /// <summary>Payments whose answer was to review or decline.</summary>
    public long Alerted => Interlocked.Read(ref alerted);

    /// <summary>Answers that came again.</summary>
    public long Repeated => Interlocked.Read(ref repeated);

    /// <summary>The payments sent so far.</summary>
    public ReadOnlySpan<DemoPayment> Payments => payments.AsSpan(0, Count);

    /// <summary>Writes down a payment that will be sent; payments come in order of sequence without a gap.</summary>
    public void Note(SimulatedTransactionFacts facts)
    {
        if (firstSequence < 0)
        {
            Volatile.Write(ref firstSequence, facts.Sequence);
        }

        payments[noted].FirstModelProbability = double.NaN;
        payments[noted++].Facts = facts;
    }

    /// <summary>Says that all that were noted are sent now.</summary>
    public void Sending()
    {
        var (sentAt, sentAtMs) = (clock.GetTimestamp(), clock.GetUtcNow().ToUnixTimeMilliseconds());
        for (int i = count; i < noted; i++)
        {
            payments[i].SentAt = sentAt;
            payments[i].SentAtMs = sentAtMs;
        }

        Volatile.Write(ref count, noted);
    }

    /// <summary>Writes down an answer; answers to the history are not looked at.</summary>
    /// <returns>Whether it answers a live payment.</returns>
    public bool Answer(DemoAnswer answer)
    {
        long first = Volatile.Read(ref firstSequence);
        if (first < 0 || answer.Sequence < first || answer.Sequence - first >= Count)
        {
            return false;
        }

        ref var payment = ref payments[answer.Sequence - first];
        if (payment.IsAnswered)
        {
            Interlocked.Increment(ref repeated);
            return true;
        }

        payment.Answer = answer;
        payment.VisibleMs = (float)clock.GetElapsedTime(payment.SentAt).TotalMilliseconds;
        payment.ComputedMs = Math.Max(0, answer.ScoredAt.ToUnixTimeMilliseconds() - payment.SentAtMs);
        payment.IsAnswered = true;
        Interlocked.Increment(ref answered);
        if (answer.IsAlert)
        {
            Interlocked.Increment(ref alerted);
        }

        return true;
    }

    /// <summary>Writes down what the first model says of a payment that another one scored.</summary>
    public void AnswerByFirstModel(long sequence, double probability)
    {
        if (firstSequence >= 0 && sequence >= firstSequence && sequence - firstSequence < Count)
        {
            payments[sequence - firstSequence].FirstModelProbability = probability;
        }
    }

    /// <summary>Writes the truth about every live payment that was sent, CSV: transaction, kind of fraud or <c>None</c>, cents of a euro.</summary>
    public void WriteTruth(string path)
    {
        using var csv = new StreamWriter(path);
        csv.WriteLine("transaction_id,pattern,euro_cents");
        foreach (ref readonly var payment in Payments)
        {
            csv.WriteLine(FormattableString.Invariant($"{TrafficJsonWriter.TransactionId(payment.Facts.Sequence)},{payment.Facts.Pattern},{payment.Facts.EuroCents}"));
        }
    }
}
