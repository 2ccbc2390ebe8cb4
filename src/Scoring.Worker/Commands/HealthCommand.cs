using System.CommandLine;
using System.Net;

namespace Scoring.Worker.Commands;

/// <summary><c>health</c>: asks a worker on this machine how it is. For container engines: the image holds no shell and no curl.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    public static Command Create()
    {
        var command = new Command("health", "Asks the worker on this machine whether it is well: 0 when it is, 69 when it is not or does not answer.");
        var page = new Argument<string>("PAGE") { Description = "live, ready or startup.", DefaultValueFactory = _ => "ready" };
        page.AcceptOnlyFromAmong("live", "ready", "startup");
        command.Add(page);
        var options = SettingsOptions.AddTo(command).AddAddress(command);
        command.SetAction(async (parsed, stopping) =>
        {
            var address = Reachable(options.Read(parsed).Operations.Http);
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout };
            string url = $"http://{address}/health/{parsed.GetValue(page)}";
            try
            {
                using var answer = await client.GetAsync(new Uri(url), stopping);
                string text = await answer.Content.ReadAsStringAsync(stopping);
                return answer.IsSuccessStatusCode ? ExitCode.Ok : throw new CommandFailure(ExitCode.Unavailable, $"{url}: {text}");
            }
            catch (Exception silent) when (silent is HttpRequestException || (silent is TaskCanceledException && !stopping.IsCancellationRequested))
            {
                throw new CommandFailure(ExitCode.Unavailable, $"{url}: no worker answers ({silent.Message})", silent);
            }
        });
        return command;
    }

    /// <summary>A worker that listens on every address is asked on loopback.</summary>
    private static IPEndPoint Reachable(IPEndPoint listening) =>
        listening.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, listening.Port)
        : listening.Address.Equals(IPAddress.IPv6Any) ? new IPEndPoint(IPAddress.IPv6Loopback, listening.Port)
        : listening;
}
