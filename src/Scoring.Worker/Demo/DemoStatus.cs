namespace Scoring.Worker.Demo;

/// <summary>One line a second about live traffic.</summary>
internal sealed class DemoStatus(DemoLedger ledger, DemoFeed feed, DemoScreen screen, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Writes until it is stopped; says when the worker has ended.</summary>
    public async Task RunAsync(DemoProcess worker, CancellationToken stopping)
    {
        long started = clock.GetTimestamp();
        int counted = 0;
        long answeredBefore = 0;
        var latencies = new List<float>();
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            worker.ThrowIfFailed();
            latencies.Clear();
            var payments = ledger.Payments;
            bool inOrder = true;
            for (int i = counted; i < payments.Length; i++)
            {
                if (payments[i].IsAnswered)
                {
                    latencies.Add(payments[i].ComputedMs);
                    counted += inOrder ? 1 : 0;
                }
                else
                {
                    inOrder = false;
                }
            }

            latencies.Sort();
            long answered = ledger.Answered;
            screen.Say(FormattableString.Invariant(
                $"      {clock.GetElapsedTime(started).TotalSeconds,3:0} s  {feed.Time:ddd HH:mm}  {answered - answeredBefore,6:N0} scored/s  {ledger.Alerted,5:N0} alerts  p50 {DemoReport.Percentile(latencies, 0.5),3:0} ms  p99 {DemoReport.Percentile(latencies, 0.99),3:0} ms  {feed.Unanswered,5:N0} waiting"));
            answeredBefore = answered;
        }
    }
}
