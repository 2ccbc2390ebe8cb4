namespace Scoring.Worker.Demo;

/// <summary>An endless, seeded stream of card payments in event-time order, and of the labels that become known later.</summary>
/// <remarks>
/// Holds each account's next payment, what is planned, and labels not yet reported: memory does not grow with the length of the stream.
/// The order of draws is the order of events, so the same options give the same stream.
/// </remarks>
internal sealed class TrafficSimulator
{
    private const double DayMs = 86_400_000;
    private const double LabelDelaySigma = 0.7;
    private const double SubscriberShare = 0.6;

    private readonly TrafficOptions options;
    private readonly TrafficRandom random;
    private readonly TrafficHabits habits;
    private readonly TrafficPlan plan = new();
    private readonly TrafficCampaigns campaigns;
    private readonly PriorityQueue<int, long> payers;
    private readonly PriorityQueue<SimulatedLabel, long> labels = new();
    private readonly long endMs;
    private long sequence;

    /// <summary>Builds the world and every account's first payment.</summary>
    public TrafficSimulator(TrafficOptions options)
    {
        this.options = options;
        random = new TrafficRandom(options.Seed);
        World = new TrafficWorld(options, random);
        habits = new TrafficHabits(World, random);
        campaigns = new TrafficCampaigns(options, World, plan, random);
        payers = new PriorityQueue<int, long>(options.Accounts);
        endMs = options.End?.ToUnixTimeMilliseconds() ?? long.MaxValue;
        long startMs = options.Start.ToUnixTimeMilliseconds();
        for (int account = 0; account < options.Accounts; account++)
        {
            payers.Enqueue(account, habits.FirstTime(account, startMs));
            if (random.Chance(SubscriberShare))
            {
                habits.Subscribe(account, startMs, plan);
            }
        }
    }

    /// <summary>Who pays and where.</summary>
    public TrafficWorld World { get; }

    /// <summary>Transactions given out so far; the next one's sequence.</summary>
    public long Count => sequence;

    /// <summary>The next transaction in event-time order.</summary>
    /// <returns>False when the stream has ended; <paramref name="transaction"/> is then left as it was.</returns>
    public bool Next(ref SimulatedTransaction transaction)
    {
        payers.TryPeek(out int payer, out long payerMs);
        long plannedMs = plan.NextMs;
        while (campaigns.NextMs <= Math.Min(payerMs, plannedMs))
        {
            if (campaigns.NextMs >= endMs)
            {
                return false;
            }

            campaigns.BeginNext();
            plannedMs = plan.NextMs;
        }

        if (Math.Min(payerMs, plannedMs) >= endMs)
        {
            return false;
        }

        if (plannedMs <= payerMs)
        {
            plan.Take(out transaction, random);
        }
        else
        {
            habits.Pay(payer, payerMs, out transaction);
            payers.DequeueEnqueue(payer, habits.NextTime(payer, payerMs));
        }

        transaction.Sequence = sequence++;
        if (transaction.CardPresent)
        {
            campaigns.Observe(transaction);
        }

        Remember(transaction);
        return true;
    }

    /// <summary>The next label that is known by a point in time, in order of report.</summary>
    /// <param name="untilMs">Time, ms since 1970 UTC; usually that of the last transaction.</param>
    /// <param name="label">The label.</param>
    /// <returns>False when none is known yet.</returns>
    public bool NextLabel(long untilMs, out SimulatedLabel label)
    {
        if (labels.TryPeek(out label, out long reportedAtMs) && reportedAtMs <= untilMs)
        {
            labels.Dequeue();
            return true;
        }

        label = default;
        return false;
    }

    // Every fraud comes out after a while; of the honest ones an analyst looks at a few, sooner.
    private void Remember(SimulatedTransaction transaction)
    {
        bool isFraud = transaction.Pattern != FraudPattern.None;
        if (!isFraud && !random.Chance(options.FalseAlarmRate))
        {
            return;
        }

        var source = !isFraud ? SimulatedLabelSource.Analyst : random.Chance(0.6) ? SimulatedLabelSource.Chargeback : SimulatedLabelSource.FraudReport;
        double delayDays = random.LogNormal(isFraud ? options.LabelDelayMedianDays : 0.3, LabelDelaySigma);
        long reportedAtMs = transaction.EventTimeMs + (long)(delayDays * DayMs);
        labels.Enqueue(
            new SimulatedLabel(
                transaction.Sequence, transaction.Account, transaction.Merchant, transaction.Terminal, transaction.EventTimeMs, reportedAtMs, transaction.Pattern, source),
            reportedAtMs);
    }
}
