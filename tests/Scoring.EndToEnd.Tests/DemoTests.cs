using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Scoring.EndToEnd.Tests.Processes;

namespace Scoring.EndToEnd.Tests;

/// <summary>The demo as its user runs it: a process of its own, its output in a pipe.</summary>
public sealed partial class DemoTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string temporary = Directory.CreateTempSubdirectory("demo-test-").FullName;

    /// <summary>The loop, judged by what stood on the topics: the demo's own counts are not asked until they are to be confirmed.</summary>
    [Fact]
    public async Task The_demo_shows_the_loop_and_its_files_confirm_what_it_says()
    {
        var demo = await RunAsync(["demo", "--accounts", "1000", "--rate", "4000", "--keep"], onLine: (_, _) => { });
        Assert.True(demo.ExitCode == 0, demo.Output);
        var kept = new DemoFiles(Assert.Single(Directory.GetDirectories(temporary, "fraudscoring-*")));

        // No score missing, none twice; every one by one of two published packages, and no partition goes back to the first.
        Assert.Equal(kept.Live, kept.SentLast(kept.Live.Count));
        Assert.Equal(kept.Live.Order(StringComparer.Ordinal), kept.Scores.Select(score => score.TransactionId).Order(StringComparer.Ordinal));
        Assert.Equal(["promoted", "promoted"], kept.Decisions.Where(decision => decision.Outcome is not "not_judged").Select(decision => decision.Outcome));
        Assert.Equal(kept.SentBefore(kept.Decisions[^1].At), kept.Decisions[^1].HistoryRows);
        string[] packages = [.. kept.Decisions.Where(decision => decision.Outcome is "promoted").Select(decision => decision.Challenger!)];
        foreach (var partition in kept.Scores.GroupBy(score => score.Partition))
        {
            var inOrder = partition.OrderBy(score => score.Offset).ToList();
            Assert.Equal(packages, inOrder.Select(score => score.Model).Distinct(StringComparer.Ordinal));
            Assert.Equal(inOrder, inOrder.OrderBy(score => Array.IndexOf(packages, score.Model)));
        }

        // The new fraud: missed by the first model, caught by the second; and the screen says the same.
        var newFraud = kept.Scores.Where(score => kept.IsNewFraud(score.TransactionId)).ToLookup(score => score.Model, StringComparer.Ordinal);
        var (before, after) = (newFraud[packages[0]].ToList(), newFraud[packages[1]].ToList());
        Assert.InRange(before.Count(score => score.IsAlert) / (double)before.Count, 0, 0.35);
        Assert.InRange(after.Count(score => score.IsAlert) / (double)after.Count, 0.75, 1);
        Assert.Contains(
            FormattableString.Invariant($"live: {before.Count(score => score.IsAlert)} of {before.Count} caught ("),
            demo.Line("New fraud"),
            StringComparison.Ordinal);
        Assert.Contains(
            FormattableString.Invariant($"; {after.Count(score => score.IsAlert)} of {after.Count} caught ("),
            demo.Line("New fraud"),
            StringComparison.Ordinal);

        // Both models on the same days: the second's column is what stood on the topic.
        var comparedFrom = kept.Decisions[^1].At.AddDays(1);
        var compared = kept.Scores.Where(score => score.EventTime >= comparedFrom).ToList();
        string[] row = demo.Line("stored cards (new)")["stored cards (new)".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(compared.Count(score => kept.IsNewFraud(score.TransactionId)), Number(row[0]));
        Assert.Equal(compared.Count(score => kept.IsNewFraud(score.TransactionId) && score.IsAlert), Number(row[3]));
        Assert.True(Number(row[1]) < Number(row[3]) / 2, demo.Line("stored cards (new)"));
        Assert.Equal(compared.Count(score => !kept.IsFraud(score.TransactionId) && score.IsAlert), Number(demo.Line("false alarms").Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1]));

        var numbers = Done().Match(demo.Lines[^1]);
        Assert.True(numbers.Success, demo.Lines[^1]);
        Assert.Equal(kept.Live.Count, Number(numbers.Groups["scored"].Value));
        Assert.Equal(kept.Live.Count, Number(numbers.Groups["sent"].Value));
        Assert.Contains(" 0 lost, 0 twice,", demo.Line("Answers"), StringComparison.Ordinal);
        AssertNothingRuns();
    }

    [Theory]
    [InlineData("[2/5]", "Stopped before live traffic began")]
    [InlineData("[3/5]", "Stopped before live traffic began")]
    [InlineData("scored/s", "Stopped: ")]
    public async Task Ctrl_C_ends_it_cleanly_at_any_step(string when, string lastLine)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no way to send Ctrl-C to another process alone");
        bool isSent = false;
        var demo = await RunAsync(["demo", "--accounts", "1000", "--rate", "1000"], (process, line) =>
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
        Assert.Contains("--accounts 5: 1000 to 20000", demo.Output, StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(temporary, recursive: true);

    private void AssertNothingIsLeft()
    {
        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary, "fraudscoring-*"));
        AssertNothingRuns();
    }

    private void AssertNothingRuns()
    {
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
        start.ArgumentList.Add(OwnProgram.PathOf("Scoring.Worker"));
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

        public string Line(string beginning) => Assert.Single(Lines, line => line.StartsWith(beginning, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^Done: (?<scored>[\d,]+) of (?<sent>[\d,]+) live payments scored; of the new fraud \d+ % caught before the new model, \d+ % after it; nothing is left running\.$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Done();
}
