namespace Scoring.Faults.Rows;

/// <summary>Faults of one broker.</summary>
internal static class BrokerFaults
{
    /// <summary>SIGKILL, some seconds, start.</summary>
    public static async Task KillAsync(FaultRun run)
    {
        int broker = run.AnyBroker();
        await run.Cluster.DoAsync("kill", broker, run.Stopping);
        await run.PauseAsync(1 + (run.Random.NextDouble() * 5));
        await run.Cluster.DoAsync("restart", broker, run.Stopping);
        await run.ReplicatedAsync();
    }

    /// <summary>Stopped: what clients sent meanwhile it answers late.</summary>
    public static async Task PauseAsync(FaultRun run)
    {
        int broker = run.AnyBroker();
        await run.Cluster.DoAsync("pause", broker, run.Stopping);
        await run.PauseAsync(8);
        await run.Cluster.DoAsync("resume", broker, run.Stopping);
        await run.ReplicatedAsync();
    }
}
