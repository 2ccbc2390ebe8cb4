using Confluent.Kafka.Admin;

namespace Scoring.Faults.Rows;

/// <summary>Faults of the consumer group and of how its members are set up.</summary>
internal static class GroupFaults
{
    private const int WorkersMax = 3;

    /// <summary>Longest a group that everybody left stays inhabited: members that were stopped count until their session ends.</summary>
    private static readonly TimeSpan EmptyBound = TimeSpan.FromSeconds(40);

    /// <summary>One worker more, or one less by SIGTERM.</summary>
    public static async Task ScaleAsync(FaultRun run)
    {
        int count = run.Workers.Names.Count;
        if (count == 1 || (count < WorkersMax && run.Random.Next(2) == 0))
        {
            run.Workers.Start(run.AbsentWorker());
        }
        else
        {
            await run.Workers.TerminateAsync(run.AnyWorker(), run.Stopping);
        }
    }

    /// <summary>The same, four times within seconds.</summary>
    public static async Task StormAsync(FaultRun run)
    {
        for (int i = 0; i < 4; i++)
        {
            await ScaleAsync(run);
            await run.PauseAsync(run.Random.NextDouble() * 2);
        }
    }

    /// <summary>All workers end, the group's offsets go; the workers must go on where they were.</summary>
    public static async Task DeleteOffsetsAsync(FaultRun run)
    {
        string[] names = [.. run.Workers.Names];
        await run.Workers.TerminateAllAsync(run.Stopping);
        long begun = run.Clock.GetTimestamp();
        while (true)
        {
            try
            {
                await run.Admin.DeleteGroupsAsync([run.Service.Group]);
                break;
            }
            catch (DeleteGroupsException) when (run.Clock.GetElapsedTime(begun) < EmptyBound)
            {
                // Not empty yet, or its coordinator is not there yet.
                await run.PauseAsync(0.5);
            }
        }

        Start(run, names);
    }

    /// <summary>A second process under a name in use: one of the two must end with 78, or with 69 as after a broker's mistake, and say which setting is wrong; the other goes on.</summary>
    public static async Task SameNameAsync(FaultRun run)
    {
        string name = run.AnyWorker();
        var first = run.Workers[name];
        var second = run.Workers.StartAgain(name);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(run.Stopping);
        bound.CancelAfter(TimeSpan.FromSeconds(90));
        var ended = await Task.WhenAny(EndAsync(first), EndAsync(second));
        bool isFirst = first.HasEnded;
        int code = await ended;
        bool isSaid = code is 78 or 69 && (await File.ReadAllTextAsync((isFirst ? first : second).LogPath, run.Stopping)).Contains("Kafka:InstanceId", StringComparison.Ordinal);
        if (!isSaid)
        {
            run.Faults.Add(FormattableString.Invariant($"of two workers named {name} the {(isFirst ? "first" : "second")} {(code < 0 ? "should have ended within 90 s" : FormattableString.Invariant($"ended with {code}, or did not name Kafka:InstanceId"))}; see {(isFirst ? first : second).LogPath}"));
        }

        run.Say($"the {(isFirst ? "first" : "second")} ended with {code}");
        if (isFirst)
        {
            await run.Workers.ReplaceAsync(name, second);
        }
        else
        {
            await second.DisposeAsync();
        }

        async Task<int> EndAsync(Service.Child child)
        {
            try
            {
                return await child.EndAsync(bound.Token);
            }
            catch (OperationCanceledException) when (!run.Stopping.IsCancellationRequested)
            {
                return -1;
            }
        }
    }

    /// <summary>All workers end and come back with another number of events kept: state is built again from the input.</summary>
    public static async Task ChangeDefinitionAsync(FaultRun run)
    {
        string[] names = [.. run.Workers.Names];
        await run.Workers.TerminateAllAsync(run.Stopping);
        run.Service.ChangeDefinition();
        Start(run, names);
    }

    private static void Start(FaultRun run, IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            run.Workers.Start(name);
        }
    }
}
