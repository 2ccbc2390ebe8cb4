using System.Globalization;

namespace Scoring.Faults.Rows;

/// <summary>Faults of a worker's memory.</summary>
internal static class MemoryFaults
{
    private const int HeapMebibytesMin = 12;
    private const int HeapMebibytesMax = 32;
    private const int AccountsAtOnce = 5_000;

    /// <summary>Longest until a worker that has too little has ended.</summary>
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(120);

    /// <summary>
    /// A worker starts with a small heap, and new accounts come until it is full: it must end, and not with 0, rather than stay and do nothing. Then it gets what it needs.
    /// </summary>
    public static async Task LimitAsync(FaultRun run)
    {
        string name = run.AnyWorker();
        await run.Workers.TerminateAsync(name, run.Stopping);
        int mebibytes = run.Random.Next(HeapMebibytesMin, HeapMebibytesMax);
        run.Workers.Start(name, new Dictionary<string, string>(StringComparer.Ordinal) { ["DOTNET_GCHeapHardLimit"] = (mebibytes << 20).ToString("x", CultureInfo.InvariantCulture) });
        bool hasEnded = await run.UntilAsync(FormattableString.Invariant($"{name} ends, which has {mebibytes} MiB"), EndBound, () =>
        {
            if (run.Payments.MixedDue == 0)
            {
                EventFaults.MixNewAccounts(run, AccountsAtOnce);
            }

            return Task.FromResult(run.Workers[name].HasEnded);
        });
        if (hasEnded)
        {
            var code = await run.Workers.EndedAsync(name, EndBound, run.Stopping);
            run.Say(FormattableString.Invariant($"{name} with {mebibytes} MiB ended with {code}, {run.Payments.Sent} sent"));
            run.Require(code != 0, $"{name} ended with 0 for want of memory");
        }
        else
        {
            await run.Workers.KillAsync(name, run.Stopping);
        }

        run.Workers.Start(name);
    }
}
