using System.Diagnostics;
using System.Globalization;
using Scoring.Models.Ensembles;
using Scoring.Models.Packaging;
using Scoring.Worker.Commands;

namespace Scoring.Worker.Tests.Commands;

/// <summary>What the process itself ends with: a host that catches everything would say 0.</summary>
public sealed class ExitCodeTests : IDisposable
{
    private const string Good = """
        {
          "service": "exit",
          "events": { "attributes": { "note": { "path": "note", "type": "text" } } },
          "entities": { "account": { "key": ["account_id"] } },
          "features": [{ "name": "seen", "entity": "account", "aggregate": "count", "window": "1d" }]
        }
        """;

    private const string Event = """{"transaction_id":"t-1","event_time":"2025-03-01T00:00:00Z","amount_minor":1250,"currency":"EUR","account_id":"a-1","merchant_id":"m-1"}""";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("fraudscoring-");

    [Fact]
    public async Task An_unknown_verb_is_a_matter_of_usage() => await ExpectAsync(ExitCode.Usage, "See --help.", "dance");

    [Fact]
    public async Task A_definition_that_is_not_there_is_no_input() =>
        await ExpectAsync(ExitCode.NoInput, "there is no such definition file", "validate", "nowhere.json");

    [Fact]
    public async Task A_definition_with_faults_is_bad_data() =>
        await ExpectAsync(ExitCode.Data, "$.", "validate", Write("bad.json", """{"service":"UPPER","events":{}, "featurs": []}"""));

    [Fact]
    public async Task A_good_definition_is_good() => await ExpectAsync(ExitCode.Ok, "", "validate", Write("good.json", Good));

    [Fact]
    public async Task A_wrong_setting_stops_the_worker_with_one_line()
    {
        string error = await ExpectAsync(ExitCode.Configuration, "Lanes:RowsMax", "run", "--definition", Write("good.json", Good), "--rows-max", "0");
        Assert.Single(error.Trim().Split('\n'));
    }

    [Fact]
    public async Task Without_a_package_the_worker_wants_to_be_told() =>
        await ExpectAsync(ExitCode.Configuration, "--without-model", "run", "--definition", Write("good.json", Good), "--http", "127.0.0.1:0");

    [Fact]
    public async Task A_package_that_is_none_is_bad_data()
    {
        string key = Write("key.pem", System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256).ExportSubjectPublicKeyInfoPem());
        await ExpectAsync(
            ExitCode.Data, "refused (NotAPackage)", "run", "--definition", Write("good.json", Good), "--http", "127.0.0.1:0", "--package", Write("model.pkg", "no package"), "--verification-key", key);
    }

    [Fact]
    public async Task A_package_that_is_not_there_is_no_input() =>
        await ExpectAsync(ExitCode.NoInput, "there is no such package", "run", "--definition", Write("good.json", Good), "--http", "127.0.0.1:0", "--package", "nowhere.fsmodel");

    [Fact]
    public async Task Settings_that_are_not_there_are_no_input_and_settings_that_are_none_are_configuration()
    {
        string definition = Write("good.json", Good);
        await ExpectAsync(ExitCode.NoInput, "there is no such settings file", "run", "--definition", definition, "--config", "nowhere.json");
        await ExpectAsync(ExitCode.Configuration, "settings.json", "run", "--definition", definition, "--config", Write("settings.json", "{"));
        await ExpectAsync(ExitCode.Usage, "write SECTION:NAME=VALUE", "run", "--definition", definition, "--set", "Lanes");
    }

    [Fact]
    public async Task An_address_that_is_taken_is_configuration()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        await ExpectAsync(ExitCode.Configuration, "cannot be bound", "run", "--definition", Write("good.json", Good), "--without-model", "--http", taken.LocalEndpoint.ToString()!);
    }

    [Fact]
    public async Task An_events_file_that_ends_early_is_bad_data_and_what_was_read_is_scored()
    {
        string whole = Path.Combine(folder.FullName, "events.jsonl.gz");
        using (var packed = new System.IO.Compression.GZipStream(File.Create(whole), System.IO.Compression.CompressionLevel.NoCompression))
        {
            packed.Write(System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 50_000).Select(i => Event.Replace("t-1", string.Create(CultureInfo.InvariantCulture, $"t-{i}"), StringComparison.Ordinal) + "\n"))));
        }

        string cut = Path.Combine(folder.FullName, "cut.jsonl.gz"), scores = Path.Combine(folder.FullName, "scores.jsonl");
        File.WriteAllBytes(cut, File.ReadAllBytes(whole)[..2_000_000]);
        await ExpectAsync(ExitCode.Data, "", "score", cut, "--definition", Write("good.json", Good), "--without-model", "--out", scores);
        Assert.InRange(File.ReadLines(scores).Count(), 1_000, 49_999);
    }

    [Fact]
    public async Task No_broker_is_told_after_the_bound() =>
        await ExpectAsync(
            ExitCode.Unavailable, "no answer from Kafka", "run", "--definition", Write("good.json", Good), "--without-model", "--http", "127.0.0.1:0",
            "--bootstrap-servers", "127.0.0.1:1", "--set", "Kafka:StartTimeoutSeconds=1");

    [Fact]
    public async Task A_file_is_scored_without_kafka()
    {
        string scores = Path.Combine(folder.FullName, "scores.jsonl");
        string refused = await ExpectAsync(
            ExitCode.Ok, "", "score", Write("events.jsonl", $"{Event}\n{{}}\n{Event.Replace("t-1", "t-2", StringComparison.Ordinal)}\n"),
            "--definition", Write("good.json", Good), "--without-model", "--emit", "features", "--out", scores);
        string[] lines = File.ReadAllLines(scores);
        Assert.Equal(2, lines.Length);
        Assert.Contains("\"features\":{\"seen\":1}", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"features\":{\"seen\":2}", lines[1], StringComparison.Ordinal);
        Assert.Contains("\"degraded_reason\":\"rules_only\"", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"line\":2,\"code\":\"missing_field\"", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_no_matter_of_the_input()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "Needs /dev/full, which this system does not have.");
        string error = await ExpectAsync(
            ExitCode.Output, "are not all written", "score", Write("events.jsonl", Event + "\n"), "--definition", Write("good.json", Good), "--without-model", "--out", "/dev/full");
        Assert.Single(error.Split('\n'), line => line.Contains("are not all written", StringComparison.Ordinal));
        Assert.DoesNotContain("internal error", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_too_large_to_be_one_is_not_read()
    {
        string package = Path.Combine(folder.FullName, "huge.pkg");
        using (var sparse = File.Create(package))
        {
            sparse.SetLength(5L << 30);
        }

        string key = Write("key.pem", System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256).ExportSubjectPublicKeyInfoPem());
        await ExpectAsync(ExitCode.Data, "5368709120 bytes", "run", "--definition", Write("good.json", Good), "--http", "127.0.0.1:0", "--package", package, "--verification-key", key);
    }

    [Fact]
    public async Task A_package_older_than_the_one_in_use_is_not_played_again()
    {
        using var key = PackageKey.Create();
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal) { [PackageFiles.Trees] = [0], [PackageFiles.Smoke] = "{}"u8.ToArray() };
        var manifest = new PackageManifest
        {
            Format = PackageManifest.FormatVersion,
            Name = "old",
            Version = "1",
            Service = "exit",
            PlanDigest = "of another plan",
            Features = ["seen"],
            Sequence = 7,
            KeyId = "",
            Producer = "test",
            Trees = new() { Calibration = Calibration.Platt(1, 0).ToManifest() },
            Thresholds = new(0.2, 0.9, "test"),
            Files = new Dictionary<string, string>(StringComparer.Ordinal),
        };
        string package = Path.Combine(folder.FullName, "old.pkg");
        File.WriteAllBytes(package, PackageWriter.Write(manifest, files, key));
        string[] run = ["run", "--definition", Write("good.json", Good), "--http", "127.0.0.1:0", "--package", package, "--verification-key", Write("key.pem", key.WritePublic())];
        await ExpectAsync(ExitCode.Data, "refused (SequenceTooOld): sequence 7; 8 was taken already", [.. run, "--sequence-min", "8"]);
        await ExpectAsync(ExitCode.Data, "refused (PlanMismatch)", [.. run, "--sequence-min", "7"]); // Its sequence is good enough.
    }

    [Fact]
    public async Task A_file_that_may_not_be_read_is_told_so()
    {
        string definition = Write("secret.json", Good);
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("This user may read every file.");
        }
        else
        {
            File.SetUnixFileMode(definition, UnixFileMode.None);
        }

        await ExpectAsync(ExitCode.NoPermission, "may not read", "validate", definition);
    }

    [Fact]
    public async Task Inspect_shows_no_secret()
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var error = new StringWriter(CultureInfo.InvariantCulture);
        Assert.Equal(ExitCode.Ok, await CommandLine.RunAsync(
            ["inspect", "--definition", Write("good.json", Good), "--set", "Kafka:Client:sasl.password=hunter2", "--set", "Kafka:Client:sasl.username=worker"], output, error));
        Assert.DoesNotContain("hunter2", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("(redacted)", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("worker", output.ToString(), StringComparison.Ordinal);
    }

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task A_variable_that_is_named_like_a_section_is_somebody_elses()
    {
        string[] arguments = ["run", "--definition", Write("good.json", Good), "--http", "127.0.0.1:0"];
        string error = await ExpectAsync(ExitCode.Configuration, "Kafka:From", arguments, ("KAFKA", "/opt/kafka"), ("Kafka__From", "yesterday"));
        Assert.Single(error.Trim().Split('\n'));
    }

    private static Task<string> ExpectAsync(int exitCode, string inError, params string[] arguments) => ExpectAsync(exitCode, inError, arguments, []);

    private static async Task<string> ExpectAsync(int exitCode, string inError, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Scoring.Worker.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == exitCode, $"exit code {process.ExitCode}\n{error}{await output}");
        Assert.Contains(inError, error, StringComparison.Ordinal);
        return error;
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
