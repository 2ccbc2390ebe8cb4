using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Prometheus;
using Scoring.Worker.Commands;
using Scoring.Worker.Configuration;

namespace Scoring.Worker.Operations;

/// <summary>Answers <c>/metrics</c>, <c>/health/live</c>, <c>/health/ready</c> and <c>/health/startup</c>, from before the lanes start until they have stopped.</summary>
internal sealed class OperationsServer : IAsyncDisposable
{
    private readonly WebApplication application;

    private OperationsServer(WebApplication application) => this.application = application;

    /// <summary>Where it answers, <c>http://address:port</c>.</summary>
    public string Address => application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Binds and answers.</summary>
    /// <exception cref="CommandFailure">The address cannot be bound.</exception>
    public static async Task<OperationsServer> StartAsync(OperationsOptions options, WorkerMetrics metrics, HealthState health)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxConcurrentConnections = 64;
            kestrel.Listen(options.Http);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoSignals>(); // The verb's own cancellation decides when to stop.
        var built = builder.Build();
        built.MapMetrics(settings =>
        {
            settings.Registry = metrics.Registry;
            settings.EnableOpenMetrics = true;
        });
        built.MapGet("/health/live", context => AnswerAsync(context, health.NotLive()));
        built.MapGet("/health/ready", context => AnswerAsync(context, health.NotReady()));
        built.MapGet("/health/startup", context => AnswerAsync(context, health.NotStarted()));
        try
        {
            await built.StartAsync();
        }
        catch (IOException taken)
        {
            await built.DisposeAsync();
            throw new CommandFailure(
                ExitCode.Configuration,
                string.Create(CultureInfo.InvariantCulture, $"Operations:Http (environment: Operations__Http) is \"{options.Http}\", which cannot be bound ({taken.Message}); it may be any free address and port"),
                taken);
        }

        return new OperationsServer(built);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await application.StopAsync(bound.Token);
        await application.DisposeAsync();
    }

    private static Task AnswerAsync(HttpContext context, string? problem)
    {
        context.Response.StatusCode = problem is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        string body = problem is null ? """{"status":"ok"}""" : $$"""{"status":"failing","problem":"{{JsonEncodedText.Encode(problem)}}"}""";
        return context.Response.WriteAsync(body, context.RequestAborted);
    }

    private sealed class NoSignals : IHostLifetime
    {
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
