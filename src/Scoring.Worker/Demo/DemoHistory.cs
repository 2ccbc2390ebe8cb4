namespace Scoring.Worker.Demo;

/// <summary>Writes the recorded past of a demo: payments, and the labels that were known when it ended.</summary>
internal static class DemoHistory
{
    private const int CheckEvery = 10_000;
    private const int FileBufferBytes = 1 << 20;

    /// <summary>What was written.</summary>
    internal sealed record Summary(long Payments, long Frauds, long Labels);

    /// <summary>Simulates the history into two files of JSON lines.</summary>
    public static Summary Write(DemoSchedule schedule, DemoFolder folder, CancellationToken stopping)
    {
        long endMs = schedule.LiveBegins.ToUnixTimeMilliseconds();
        var simulator = new TrafficSimulator(schedule.Traffic with { End = schedule.LiveBegins });
        using var json = new TrafficJsonWriter(simulator.World);
        using var transactions = File.Create(folder.Transactions, FileBufferBytes);
        using var labels = File.Create(folder.Labels, FileBufferBytes);
        long frauds = 0;
        long labelCount = 0;
        var payment = default(SimulatedTransaction);
        while (simulator.Next(ref payment))
        {
            transactions.Write(json.Write(payment));
            transactions.WriteByte((byte)'\n');
            frauds += payment.Pattern == FraudPattern.None ? 0 : 1;
            if (simulator.Count % CheckEvery == 0)
            {
                stopping.ThrowIfCancellationRequested();
            }
        }

        while (simulator.NextLabel(endMs, out var label))
        {
            labels.Write(json.Write(label));
            labels.WriteByte((byte)'\n');
            labelCount++;
        }

        return new Summary(simulator.Count, frauds, labelCount);
    }
}
