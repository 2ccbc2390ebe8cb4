using System.Diagnostics;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>A program of the system, such as <c>promtool</c>; the test is skipped where it is not installed.</summary>
internal static class InstalledProgram
{
    /// <summary>Runs it to its end.</summary>
    /// <param name="name">Found on the path.</param>
    /// <param name="arguments">One by one.</param>
    /// <param name="input">What it reads.</param>
    /// <returns>Exit code, and everything it printed.</returns>
    public static async Task<(int ExitCode, string Printed)> RunAsync(string name, IEnumerable<string> arguments, string input = "")
    {
        using var process = Start(name, arguments);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>Starts it.</summary>
    public static Process Start(string name, IEnumerable<string> arguments)
    {
        bool isInstalled = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, name)));
        Assert.SkipUnless(isInstalled, $"{name} is not installed (Debian: apt-get install {(name is "cc" ? "gcc libc6-dev" : "prometheus")})");
        return Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
    }
}
