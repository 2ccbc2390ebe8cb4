namespace Scoring.Faults.Network;

/// <summary>One direction of a wire: open, or shut.</summary>
internal sealed class Gate
{
    private volatile TaskCompletionSource isOpen = Opened();

    /// <summary>Lets nothing through any more.</summary>
    public void Shut()
    {
        if (isOpen.Task.IsCompleted)
        {
            isOpen = New();
        }
    }

    /// <summary>Lets through what waits and what comes.</summary>
    public void Open() => isOpen.TrySetResult();

    /// <summary>Waits until it is open.</summary>
    public Task PassAsync(CancellationToken stopping) => isOpen.Task.WaitAsync(stopping);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource Opened()
    {
        var opened = New();
        opened.SetResult();
        return opened;
    }
}
