using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Scoring.EndToEnd.Tests;

/// <summary>The demo as its user runs it: a process of its own, its output in a pipe.</summary>
public sealed partial class DemoTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string temporary = Directory.CreateTempSubdirectory("demo-test-").FullName;

    [Fact]
    public async Task A_short_demo_scores_every_payment_sums_up_and_leaves_nothing()
    {
        var demo = await RunAsync(["demo", "--seconds", "5", "--accounts", "500"], onLine: (_, _) => { });

        Assert.True(demo.ExitCode == 0, demo.Output);
        string last = demo.Lines[^1];
        var numbers = Done().Match(last);
        Assert.True(numbers.Success, last);
        Assert.Equal(numbers.Groups["sent"].Value, numbers.Groups["scored"].Value);
        Assert.InRange(Number(numbers.Groups["sent"].Value), 1_000, 5_000);
        Assert.InRange(Number(numbers.Groups["caught"].Value), 1, Number(numbers.Groups["frauds"].Value));
        foreach (string pattern in new[] { "card testing", "account takeover", "stolen card spree", "compromised terminal", "slow drain", "all frauds" })
        {
            Assert.Contains(demo.Lines, line => line.StartsWith(pattern, StringComparison.Ordinal));
        }

        Assert.Contains(demo.Lines, line => line.StartsWith("Answers", StringComparison.Ordinal) && line.Contains(" 0 lost, 0 twice,", StringComparison.Ordinal));
        Assert.True(demo.Lines.Count(line => line.Contains("scored/s", StringComparison.Ordinal)) >= 4, demo.Output);
        AssertNothingIsLeft();
    }

    [Theory]
    [InlineData("[2/5]", "Stopped before live traffic began")]
    [InlineData("scored/s", "Stopped: ")]
    public async Task Ctrl_C_ends_it_cleanly_at_any_step(string when, string lastLine)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no way to send Ctrl-C to another process alone");
        bool isSent = false;
        var demo = await RunAsync(["demo", "--seconds", "60", "--accounts", "300"], (process, line) =>
        {
            if (!isSent && line.Contains(when, StringComparison.Ordinal))
            {
                isSent = true;
                Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]).Dispose();
            }
        });

        Assert.True(demo.ExitCode == 0, demo.Output);
        Assert.StartsWith(lastLine, demo.Lines[^1], StringComparison.Ordinal);
        AssertNothingIsLeft();
    }

    [Fact]
    public async Task A_wrong_option_is_said_before_anything_starts()
    {
        var demo = await RunAsync(["demo", "--accounts", "5"], onLine: (_, _) => { });
        Assert.Equal(64, demo.ExitCode);
        Assert.Contains("--accounts 5: 100 to 100000", demo.Output, StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(temporary, recursive: true);

    private void AssertNothingIsLeft()
    {
        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary, "fraudscoring-*"));
        if (Directory.Exists("/proc"))
        {
            // Every process of a demo has a path of its folder on its command line.
            Assert.DoesNotContain(Directory.EnumerateDirectories("/proc"), process => CommandLine(process).Contains(temporary, StringComparison.Ordinal));
        }
    }

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private async Task<Outcome> RunAsync(string[] arguments, Action<Process, string> onLine)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Scoring.Worker.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["TMPDIR"] = temporary;
        var lines = new List<string>();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        return new Outcome(process.ExitCode, lines);

        void Take(string? line)
        {
            if (line is { Length: > 0 })
            {
                lock (lines)
                {
                    lines.Add(line);
                }

                onLine(process, line);
            }
        }
    }

    private static long Number(string text) => long.Parse(text, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    private sealed record Outcome(int ExitCode, List<string> Lines)
    {
        public string Output => string.Join('\n', Lines);
    }

    [GeneratedRegex(@"^Done: (?<scored>[\d,]+) of (?<sent>[\d,]+) live payments scored; (?<caught>[\d,]+) of (?<frauds>[\d,]+) frauds caught \(\d+ %\), [\d,]+ false alarms; nothing is left running\.$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Done();
}
