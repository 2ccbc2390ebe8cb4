using Scoring.Simulation.Histories;
using Scoring.Simulation.Scheduling;
using Scoring.Worker.Lanes;

namespace Scoring.Simulation;

/// <summary>Runs a range of seeds, on one thread or on several that share nothing.</summary>
/// <param name="from">The first.</param>
/// <param name="count">How many.</param>
/// <param name="bug">A mistake that the worker is to make.</param>
/// <param name="endsWithFirst">Whether the first that is not good ends it.</param>
internal sealed class SeedRun(int from, int count, PlantedBug bug = PlantedBug.None, bool endsWithFirst = false)
{
    private readonly Lock gate = new();
    private int next;

    /// <summary>Histories that were run.</summary>
    public int Done { get; private set; }

    /// <summary>Those that are not good.</summary>
    public int Bad { get; private set; }

    /// <summary>Transactions in all.</summary>
    public long Records { get; private set; }

    /// <summary>Feature values compared in all.</summary>
    public long Values { get; private set; }

    /// <summary>Workers that ended with 69.</summary>
    public long Unavailable { get; private set; }

    /// <summary>By the histories' own clocks, h.</summary>
    public double Hours { get; private set; }

    /// <summary>Runs them.</summary>
    /// <param name="parallel">How many at a time.</param>
    /// <param name="bad">Receives those that are not good.</param>
    /// <param name="progress">Told after every thousand.</param>
    public void Go(int parallel, Action<Outcome> bad, Action<int>? progress = null)
    {
        var threads = Enumerable.Range(0, parallel).Select(number => new Thread(() => Work(number, bad, progress)) { IsBackground = true }).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
    }

    private void Work(int number, Action<Outcome> bad, Action<int>? progress)
    {
        var simulated = new SimulatedService();
        using var threads = new ActorThreads(processor: number);
        threads.KeepToProcessor();
        while (Take() is { } seed)
        {
            var outcome = History.Run(HistoryPlan.Of(seed, bug), simulated, threads);
            lock (gate)
            {
                Done++;
                Records += outcome.Records;
                Values += outcome.Values;
                Unavailable += outcome.Unavailable;
                Hours += outcome.Seconds / 3_600;
                if (Done % 1_000 == 0)
                {
                    progress?.Invoke(Done);
                }

                if (!outcome.IsGood)
                {
                    Bad++;
                    bad(outcome);
                    next = endsWithFirst ? count : next;
                }
            }
        }
    }

    private int? Take()
    {
        lock (gate)
        {
            return next < count ? from + next++ : null;
        }
    }
}
