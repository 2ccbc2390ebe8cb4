using BenchmarkDotNet.Attributes;
using Scoring.Worker.Demo;

namespace Scoring.Benchmarks.Demo;

/// <summary>The simulator, transaction by transaction: drawn, and drawn and written as JSON. It shares two cores with what it feeds.</summary>
[MemoryDiagnoser]
public class TrafficBenchmarks
{
    private const int Transactions = 100_000;

    private TrafficSimulator simulator = null!;
    private SimulatedTransaction transaction;

    /// <summary>Accounts of the simulated world.</summary>
    [Params(3_000, 100_000)]
    public int Accounts { get; set; }

    /// <summary>A world that goes on without an end.</summary>
    [GlobalSetup]
    public void Build() =>
        simulator = new TrafficSimulator(new TrafficOptions { Start = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero), Accounts = Accounts });

    /// <summary>Transactions and labels.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Transactions)]
    public long Drawn()
    {
        for (int i = 0; i < Transactions; i++)
        {
            simulator.Next(ref transaction);
            while (simulator.NextLabel(transaction.EventTimeMs, out _))
            {
                // Taken, so that they do not pile up.
            }
        }

        return transaction.Sequence;
    }

    /// <summary>The same, with the transactions written.</summary>
    [Benchmark(OperationsPerInvoke = Transactions)]
    public long DrawnAndWritten()
    {
        using var json = new TrafficJsonWriter(simulator.World);
        long bytes = 0;
        for (int i = 0; i < Transactions; i++)
        {
            simulator.Next(ref transaction);
            bytes += json.Write(transaction).Length;
            while (simulator.NextLabel(transaction.EventTimeMs, out _))
            {
                // Taken, so that they do not pile up.
            }
        }

        return bytes;
    }
}
