using Scoring.EndToEnd.Tests.Processes;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>A program that runs a fifth of the time: stopped for 400 ms, let go on for 100, as by a host that is short of processors. Until this is disposed.</summary>
internal sealed class HeldUpProgram : IAsyncDisposable
{
    private static readonly TimeSpan Held = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Free = TimeSpan.FromMilliseconds(100);

    private readonly OwnProgram program;
    private readonly CancellationTokenSource stop = new();
    private readonly Task holding;

    /// <summary>Begins.</summary>
    public HeldUpProgram(OwnProgram program)
    {
        this.program = program;
        holding = Task.Run(HoldAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await holding;
        stop.Dispose();
    }

    private async Task HoldAsync()
    {
        while (!stop.IsCancellationRequested && !program.HasEnded)
        {
            await program.SignalAsync("STOP");
            await Task.Delay(Held);
            await program.SignalAsync("CONT");
            await Task.Delay(Free);
        }
    }
}
