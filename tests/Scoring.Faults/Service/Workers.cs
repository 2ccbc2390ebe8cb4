namespace Scoring.Faults.Service;

/// <summary>The running workers by name. A name that ends and starts again is the same static member of the group.</summary>
internal sealed class Workers(FaultService service, Func<string, string> serversOf, IReadOnlyList<string> settings) : IAsyncDisposable
{
    /// <summary>Longest a worker may take to end after SIGTERM: 10 s to drain, and a busy machine.</summary>
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(30);

    /// <summary>Exit code: what is not committed is repeated, by whoever starts next.</summary>
    private const int Unavailable = 69;

    /// <summary>Exit code of a process that SIGTERM met before it could listen for it; nothing had begun.</summary>
    private const int Unheard = 143;

    private readonly HttpClient http = new();
    private readonly SortedDictionary<string, Child> running = new(StringComparer.Ordinal);

    /// <summary>Names of those that run, in order.</summary>
    public IReadOnlyList<string> Names => [.. running.Keys];

    /// <summary>Ends with 69, "start me anew": a supervisor does, and here it is done and counted.</summary>
    public int AskedForRestart { get; private set; }

    /// <summary>What must not be: exit codes other than 0 after SIGTERM, ends that nobody asked for.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>What they are told about the model.</summary>
    public IReadOnlyList<string> Model { get; set; } = ["--without-model"];

    /// <summary>Starts one.</summary>
    /// <param name="name">A name that none has.</param>
    /// <param name="variables">What its environment holds beside ours.</param>
    public void Start(string name, IReadOnlyDictionary<string, string>? variables = null) => running.Add(name, Process(name, name, variables));

    /// <summary>A second process under the name of one that runs; the caller has it.</summary>
    public Child StartAgain(string name) => Process(name, $"{name}-again");

    /// <summary>One that runs.</summary>
    public Child this[string name] => running[name];

    /// <summary>Puts a process under a name, in place of one that has ended.</summary>
    public async Task ReplaceAsync(string name, Child successor)
    {
        await running[name].DisposeAsync();
        running[name] = successor;
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync(string name, CancellationToken stopping)
    {
        var child = Remove(name);
        await child.SignalAsync("KILL");
        await child.EndAsync(stopping);
        await child.DisposeAsync();
    }

    /// <summary>SIGTERM, and waits; any exit code but 0 and 69 is a fault.</summary>
    public async Task TerminateAsync(string name, CancellationToken stopping)
    {
        await using var child = Remove(name);
        await child.SignalAsync("TERM");
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        bound.CancelAfter(EndBound);
        try
        {
            int code = await child.EndAsync(bound.Token);
            if (code == Unavailable)
            {
                AskedForRestart++;
            }
            else if (code != 0 && !(code == Unheard && !child.HasSpoken))
            {
                Faults.Add(FormattableString.Invariant($"{name} ended with {code} after SIGTERM, see {child.LogPath}"));
            }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            Faults.Add(FormattableString.Invariant($"{name} has not ended {EndBound.TotalSeconds} s after SIGTERM, see {child.LogPath}"));
        }
    }

    /// <summary>Sum of a metric over its series and over the workers that answer.</summary>
    public async Task<double> MetricAsync(string name)
    {
        double sum = 0;
        foreach (var address in running.Values.Select(child => child.Address).OfType<Uri>())
        {
            try
            {
                sum += Metrics.Sum(await http.GetStringAsync(new Uri(address, "/metrics")), name);
            }
            catch (HttpRequestException)
            {
                // It ends, or has not begun: it has counted nothing.
            }
        }

        return sum;
    }

    /// <summary>Waits for one that must end by itself, and takes it away.</summary>
    /// <returns>Its exit code; null, and it still runs, when it has not ended within the bound.</returns>
    public async Task<int?> EndedAsync(string name, TimeSpan bound, CancellationToken stopping)
    {
        try
        {
            int code = await running[name].EndAsync(stopping).WaitAsync(bound, stopping);
            await Remove(name).DisposeAsync();
            return code;
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Ends all, together.</summary>
    public Task TerminateAllAsync(CancellationToken stopping) => Task.WhenAll(Names.Select(name => TerminateAsync(name, stopping)));

    /// <summary>Starts again, as a supervisor does, what has ended by itself, and notes it as a fault.</summary>
    public async Task RestartEndedAsync(CancellationToken stopping)
    {
        foreach (string name in Names.Where(name => running[name].HasEnded))
        {
            var ended = Remove(name);
            int code = await ended.EndAsync(stopping);
            if (code == Unavailable)
            {
                AskedForRestart++;
            }
            else
            {
                Faults.Add(FormattableString.Invariant($"{name} ended by itself with {code}, see {ended.LogPath}"));
            }

            await ended.DisposeAsync();
            Start(name);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var child in running.Values)
        {
            await child.DisposeAsync();
        }

        running.Clear();
        http.Dispose();
    }

    private Child Remove(string name)
    {
        running.Remove(name, out var child);
        return child!;
    }

    /// <summary>A folder of its own; at least once there are no checkpoints.</summary>
    private string[] Checkpoints(string name) => settings.Contains("Kafka:Delivery=at_least_once", StringComparer.OrdinalIgnoreCase)
        ? []
        : ["--set", $"Lanes:CheckpointDirectory={Directory.CreateDirectory(Path.Combine(service.Folder, "checkpoints-" + name)).FullName}"];

    private Child Process(string name, string logName, IReadOnlyDictionary<string, string>? variables = null) => Child.Start(
        logName,
        service.Folder,
        [
            "run", "--definition", service.DefinitionPath, "--bootstrap-servers", serversOf(name), .. Model, "--emit", "features", "--lanes", "2", "--http", "127.0.0.1:0",
            "--set", $"Kafka:InstanceId={name}",
            .. Checkpoints(name),
            .. settings.SelectMany(setting => (string[])["--set", setting]),
        ],
        variables);
}
