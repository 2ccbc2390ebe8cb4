namespace Scoring.Faults.Rows;

/// <summary>Faults of one worker.</summary>
internal static class WorkerFaults
{
    /// <summary>SIGKILL; its successor comes at once or some seconds later.</summary>
    public static async Task KillAsync(FaultRun run)
    {
        string name = run.AnyWorker();
        await run.Workers.KillAsync(name, run.Stopping);
        await run.PauseAsync(run.Random.Next(2) == 0 ? 0 : run.Random.NextDouble() * 3);
        run.Workers.Start(name);
    }

    /// <summary>Stopped, for less than the group's patience.</summary>
    public static Task PauseAsync(FaultRun run) => StopAsync(run, seconds: 3);

    /// <summary>Stopped for so long that the group gives its partitions to the other; then it wakes and finds itself replaced.</summary>
    public static Task ZombieAsync(FaultRun run) => StopAsync(run, seconds: 15);

    /// <summary>SIGTERM; again before its successor has come far.</summary>
    public static async Task RestartTwiceAsync(FaultRun run)
    {
        string name = run.AnyWorker();
        await run.Workers.TerminateAsync(name, run.Stopping);
        run.Workers.Start(name);
        await run.PauseAsync(1 + (run.Random.NextDouble() * 3));
        await run.Workers.TerminateAsync(name, run.Stopping);
        run.Workers.Start(name);
    }

    /// <summary>Broken events, and the worker dies while it has some of them.</summary>
    public static async Task PoisonAsync(FaultRun run)
    {
        EventFaults.MixBad(run, 20);
        await run.PauseAsync(run.Random.NextDouble() * 0.3);
        await KillAsync(run);
    }

    private static async Task StopAsync(FaultRun run, double seconds)
    {
        var worker = run.Workers[run.AnyWorker()];
        await worker.SignalAsync("STOP");
        await run.PauseAsync(seconds);
        await worker.SignalAsync("CONT");
    }
}
