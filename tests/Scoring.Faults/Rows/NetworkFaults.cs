using Scoring.Faults.Measuring;

namespace Scoring.Faults.Rows;

/// <summary>Faults of the way between one worker and the broker.</summary>
internal static class NetworkFaults
{
    /// <summary>Longest until the other worker speaks for all: session and open transaction of the one that is cut off end within ten seconds each.</summary>
    private static readonly TimeSpan TakenOverBound = TimeSpan.FromSeconds(60);

    /// <summary>Nothing gets through, for five seconds, or until the other worker has taken the partitions over; then all of it does, late.</summary>
    public static async Task CutAsync(FaultRun run)
    {
        string name = run.AnyWorker();
        var wire = run.Cluster.Wires![name];
        wire.Requests.Shut();
        wire.Answers.Shut();
        if (run.Injected % 2 == 0)
        {
            run.Say($"{name} is cut off for 5 s");
            await run.PauseAsync(5);
        }
        else
        {
            run.Say($"{name} is cut off until the other has taken over");
            await run.PauseAsync(1); // What was committed before is heard a moment later.
            long since = run.Clock.GetTimestamp();
            await run.UntilAsync("the other worker speaks for all partitions", TakenOverBound, () => Task.FromResult(run.Witness.AllHeardSince(since)));
            run.Say(FormattableString.Invariant($"taken over {run.Clock.GetElapsedTime(since).TotalSeconds + 1:0.0} s after the cut"));
        }

        wire.Requests.Open();
        wire.Answers.Open();
    }

    /// <summary>Requests arrive, answers do not: the worker does not know what it has committed. For 5 s, or for longer than it waits for a commit; then it must say that it asks.</summary>
    public static async Task DropAnswersAsync(FaultRun run)
    {
        string name = run.AnyWorker();
        var wire = run.Cluster.Wires![name];
        bool isLong = run.Injected % 2 == 1;
        double seconds = isLong ? 20 : 5;
        var printed = new LogTail(run.Service.Folder);
        run.Say($"{name} hears no answer for {seconds} s");
        wire.Answers.Shut();
        await run.PauseAsync(seconds);
        wire.Answers.Open();
        run.Require(!isLong || (await printed.LinesAsync("does not know whether its transaction is committed", run.Stopping)).Count > 0, $"{name} heard no answer for {seconds} s and did not doubt its commit");
    }
}
