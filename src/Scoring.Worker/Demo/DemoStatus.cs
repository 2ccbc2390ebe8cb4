namespace Scoring.Worker.Demo;

/// <summary>A line every two seconds about live traffic.</summary>
internal sealed class DemoStatus(DemoSchedule schedule, DemoLedger ledger, DemoFeed feed, DemoScreen screen, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Writes until it is stopped.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        int counted = 0;
        long answeredBefore = 0;
        long before = clock.GetTimestamp();
        var latencies = new List<float>();
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            // The answers since the last line: worker and lanes go in order, so nothing that came is looked at twice.
            latencies.Clear();
            int newFrauds = 0;
            int caught = 0;
            var payments = ledger.Payments;
            for (; counted < payments.Length && payments[counted].IsAnswered; counted++)
            {
                ref readonly var payment = ref payments[counted];
                latencies.Add(payment.ComputedMs);
                if (payment.Facts.Pattern == FraudPattern.StoredCardAbuse)
                {
                    newFrauds++;
                    caught += payment.Answer.IsAlert ? 1 : 0;
                }
            }

            long answered = ledger.Answered;
            if (answered == answeredBefore)
            {
                continue;
            }

            latencies.Sort();
            double perSecond = (answered - answeredBefore) / clock.GetElapsedTime(before).TotalSeconds;
            (answeredBefore, before) = (answered, clock.GetTimestamp());
            screen.Say(FormattableString.Invariant(
                $"      {schedule.Name(feed.Time)}  {perSecond,6:N0} scored/s  {ledger.Alerted,5:N0} alerts  p50 {DemoReport.Percentile(latencies, 0.5),3:0} ms  p99 {DemoReport.Percentile(latencies, 0.99),3:0} ms  new fraud: {caught,3:N0} of {newFrauds,3:N0} caught"));
        }
    }
}
