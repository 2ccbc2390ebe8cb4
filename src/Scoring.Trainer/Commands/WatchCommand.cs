using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Prometheus;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Trainer.History;
using Scoring.Trainer.History.Segments;
using Scoring.Trainer.Publishing;
using Scoring.Trainer.Watching;

namespace Scoring.Trainer.Commands;

/// <summary><c>watch</c>: keeps improving a running service from its own traffic and labels.</summary>
internal static class WatchCommand
{
    private const string Wall = "wall";
    private const string Event = "event";

    public static Command Create()
    {
        var settings = new WatchOptions();
        var broker = new BrokerOptions();
        var data = new Option<string>("--data") { Description = "folder of this trainer's own: history, state, packages, decisions", Required = true };
        var key = CommonOptions.Key();
        var publishTo = new Option<string?>("--publish-to") { Description = "folder for promoted packages instead of the models topic: a person carries them on" };
        var metrics = new Option<string?>("--metrics") { Description = "address for Prometheus, such as 127.0.0.1:9465; port 0: a free one, named in the log; by default none" };
        var clock = new Option<string>("--clock") { Description = "wall: the time of day; event: the latest event, for recorded days", DefaultValueFactory = _ => Wall }.AcceptOnlyFromAmong(Wall, Event);
        var once = new Option<bool>("--once") { Description = "end when everything that is there has been read and decided on" };
        var command = broker.AddTo(new Command("watch", "Records transactions and labels, retrains, and publishes what is better than the champion.") { data, key, publishTo, metrics, clock, once });
        settings.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var service = broker.Definition(parsed);
            var keys = broker.Keys(parsed);
            using var signer = CommonOptions.ReadSigningKey(parsed.GetRequiredValue(key));
            if (!keys.Any(accepted => string.Equals(accepted.Id, signer.Id, StringComparison.Ordinal)))
            {
                throw new TrainerException(ExitCode.Configuration, $"--key: {signer.Id} is none of the accepted keys: workers would refuse every package it signs; add its public half to --verification-key");
            }

            var chosen = settings.Read(parsed) with { EventClock = string.Equals(parsed.GetValue(clock), Event, StringComparison.Ordinal) };

            // The library's own meters, seventy families, are left out; ours are all there before the first scrape can come.
            Metrics.SuppressDefaultMetrics();
            var registry = Metrics.NewCustomRegistry();
            var shown = new TrainerMetrics(registry);
            using var server = Serve(parsed.GetValue(metrics), registry);
            var access = broker.Access(parsed);
            var channel = parsed.GetValue(publishTo) is { } folder ? (IModelChannel)new FolderChannel(folder, keys) : new TopicChannel(broker.Publisher(parsed, service), keys);
            using var lease = channel is TopicChannel ? new ChannelLease(access, ModelChannel.Of(service), Log) : null;
            await RunAsync(service, chosen, access, parsed.GetRequiredValue(data), channel, () => lease?.IsHeld ?? true, signer, keys, shown, parsed.GetValue(once), cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task RunAsync(
        ServiceDefinition service,
        WatchSettings settings,
        BrokerAccess access,
        string data,
        IModelChannel channel,
        Func<bool> decides,
        PackageKey signer,
        IReadOnlyList<PackageKey> keys,
        TrainerMetrics metrics,
        bool once,
        CancellationToken cancellation)
    {
        var plan = FeaturePlan.Compile(service, EventSchema.From(service));
        var folder = new WatchFolder(data, service.Service);
        using var history = await SegmentFolder.OpenAsync(folder.History, service.Service, onStep: null, cancellation);
        var recorder = new HistoryRecorder(service, history);
        using var source = new StreamSource(access, service, recorder, TimeProvider.System, Log);
        var challenge = new Challenge(service, plan, settings, signer, keys);
        var watcher = new Watcher(settings, challenge, new DriftCheck(service, plan, settings, keys), history, recorder, folder, channel, metrics, TimeProvider.System, Log);
        var run = new WatchRun(settings, source, recorder, history, watcher, decides, metrics, TimeProvider.System, Log);
        Log($"watching {service.Topics.Transactions} and {service.Topics.Labels} for {service.Service}; {settings.Gate.Rule}");
        try
        {
            await run.RunAsync(once, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Log("stopped; it goes on from here");
        }
    }

    private static MetricsEndPoint? Serve(string? address, CollectorRegistry registry)
    {
        if (address is null)
        {
            return null;
        }

        int colon = address.LastIndexOf(':');
        if (colon < 1 || !int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port > 65_535)
        {
            throw new TrainerException(ExitCode.Usage, $"--metrics {address}: write HOST:PORT, such as 127.0.0.1:9465; port 0 takes a free one");
        }

        string host = address[..colon];
        try
        {
            var server = new MetricsEndPoint(host is "*" ? IPAddress.Any : IPAddress.TryParse(host, out var given) ? given : Dns.GetHostAddresses(host)[0], port, registry, TimeProvider.System);
            Log(string.Create(CultureInfo.InvariantCulture, $"metrics at http://{host}:{server.Address.Port}/metrics"));
            return server;
        }
        catch (SocketException taken)
        {
            throw new TrainerException(ExitCode.Configuration, $"--metrics {address}: {taken.Message}; choose another address, or port 0 for a free one", taken);
        }
    }

    private static void Log(string line) =>
        Console.Error.WriteLine($"{TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)} {line}");
}
