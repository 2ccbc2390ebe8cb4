using System.Globalization;
using System.Text.Json;
using Scoring.Models.Packaging;
using Scoring.Trainer.Commands;

namespace Scoring.Trainer.Tests;

public sealed class TrainTests : IAsyncLifetime
{
    private static readonly string[] Train =
        ["train", "-d", "@shop.json", "--history", "@history.parquet", "--from", "2024-01-10", "--to", "2024-01-20", "--key", "@me.key.pem", "--trees", "30", "--leaves", "8", "--bins", "1000"];

    private readonly Workshop workshop = new();

    public async ValueTask InitializeAsync()
    {
        workshop.Write("a.csv", Workshop.Csv(Workshop.Rows()));
        await workshop.DoAsync("import", "-d", "@shop.json", "-i", "@a.csv", "-o", "@history.parquet");
        await workshop.DoAsync("models", "keygen", "-o", "@me");
    }

    public ValueTask DisposeAsync()
    {
        workshop.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_package_digest_and_another_seed_another()
    {
        string[] later = ["--calibrate-from", "2024-01-22", "--calibrate-to", "2024-01-28"];
        string first = Digest(await workshop.DoAsync([.. Train, .. later, "-o", "@1"]));
        string second = Digest(await workshop.DoAsync([.. Train, .. later, "-o", "@2"]));
        string other = Digest(await workshop.DoAsync([.. Train, .. later, "-o", "@3", "--seed", "2"]));

        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
        Assert.NotEqual(File.ReadAllBytes(workshop["1"]), File.ReadAllBytes(workshop["2"])); // the signature, and only that
    }

    [Theory]
    [InlineData("platt")]
    [InlineData("isotonic")]
    public async Task What_was_learnt_holds_on_later_days(string calibration)
    {
        await workshop.DoAsync([.. Train, "--calibrate-from", "2024-01-20", "--calibrate-to", "2024-01-25", "--calibration", calibration, "-o", "@m"]);

        string json = await workshop.DoAsync("evaluate", "-d", "@shop.json", "--history", "@history.parquet", "-p", "@m", "--public-key", "@me.pub.pem", "--from", "2024-01-25", "--to", "2024-01-31", "--json");

        var figures = JsonDocument.Parse(json).RootElement;
        Assert.InRange(figures.GetProperty("auc_roc").GetDouble(), 0.75, 1);
        Assert.InRange(figures.GetProperty("calibration_error").GetDouble(), 0, 0.05);
    }

    [Fact]
    public async Task Without_later_data_a_twin_calibrates()
    {
        // Two windows of 6 days with the label delay of 2 days between them.
        string output = await workshop.DoAsync("train", "-d", "@shop.json", "--history", "@history.parquet", "--from", "2024-01-12", "--to", "2024-01-18", "--key", "@me.key.pem", "--trees", "20", "--leaves", "4", "-o", "@m");
        Assert.Contains("shifted, 2024-01-12 00:00 to 2024-01-18 00:00", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offline_scores_are_of_the_rows_asked_for_and_do_not_change()
    {
        await workshop.DoAsync([.. Train, "-o", "@m", "--calibrate-from", "2024-01-20", "--calibrate-to", "2024-01-25"]);
        string[] score = ["score", "-d", "@shop.json", "--history", "@history.parquet", "-p", "@m", "--public-key", "@me.pub.pem", "--from", "2024-01-25", "--to", "2024-01-26"];
        await workshop.DoAsync([.. score, "-o", "@1.csv"]);
        await workshop.DoAsync([.. score, "-o", "@2.csv"]);

        var lines = File.ReadAllLines(workshop["1.csv"]);
        Assert.Equal(lines, File.ReadAllLines(workshop["2.csv"]));
        Assert.Equal("transaction_id,score", lines[0]);
        var expected = Workshop.Rows().Where(row => row.At >= 24 * 86_400 && row.At < 25 * 86_400).Select(row => row.Id.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(expected, lines.Skip(1).Select(line => line.Split(',')[0]));
        Assert.All(lines.Skip(1), line => Assert.InRange(double.Parse(line.Split(',')[1], CultureInfo.InvariantCulture), 0, 1));
    }

    [Fact]
    public async Task A_package_is_shown_to_those_who_hold_the_key()
    {
        await workshop.DoAsync([.. Train, "-o", "@m", "--calibrate-from", "2024-01-20", "--calibrate-to", "2024-01-25", "--sequence", "5", "--expires", "2020-01-01"]);
        await workshop.DoAsync("models", "keygen", "-o", "@stranger");

        var expired = await workshop.RunAsync("models", "show", "@m", "--key", "@me.pub.pem");
        var stranger = await workshop.RunAsync("models", "show", "@m", "--key", "@stranger.pub.pem");

        Assert.Equal(65, expired.ExitCode);
        Assert.Contains("Expired", expired.Error, StringComparison.Ordinal);
        Assert.Equal(65, stranger.ExitCode);
        Assert.Contains("SignatureInvalid", stranger.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_definition_refuses_the_package()
    {
        await workshop.DoAsync([.. Train, "-o", "@m", "--calibrate-from", "2024-01-20", "--calibrate-to", "2024-01-25"]);
        workshop.Write("other.json", Workshop.Definition.Replace("\"7d\"", "\"6d\"", StringComparison.Ordinal));

        var good = await workshop.RunAsync("models", "show", "@m", "--key", "@me.pub.pem", "-d", "@shop.json");
        var other = await workshop.RunAsync("models", "show", "@m", "--key", "@me.pub.pem", "-d", "@other.json");

        Assert.Equal(0, good.ExitCode);
        Assert.Equal(65, other.ExitCode);
        Assert.Contains("PlanMismatch", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_never_overwritten_and_is_readable_to_its_owner_only()
    {
        var again = await workshop.RunAsync("models", "keygen", "-o", "@me");
        Assert.Equal(74, again.ExitCode);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(workshop["me.key.pem"]));
        }
    }

    [Fact]
    public async Task A_window_without_frauds_is_said_to_be_one()
    {
        var outcome = await workshop.RunAsync("train", "-d", "@shop.json", "--history", "@history.parquet", "--from", "2025-01-10", "--to", "2025-01-20", "--key", "@me.key.pem", "-o", "@m");
        Assert.Equal(65, outcome.ExitCode);
        Assert.Contains("0 labelled transactions", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--leaves", "65")]
    [InlineData("--learning-rate", "0")]
    [InlineData("--calibration", "guess")]
    [InlineData("--calibrate-from", "2024-01-20")]
    [InlineData("--network", "maybe")]
    [InlineData("--network-hidden", "0")]
    [InlineData("--network-fraud-weight", "-1")]
    [InlineData("--network-learning-rate", "2")]
    public async Task A_setting_out_of_range_is_a_matter_of_usage(string name, string value)
    {
        var outcome = await workshop.RunAsync([.. Train, "-o", "@m", name, value]);
        Assert.Equal(64, outcome.ExitCode);
        Assert.Contains(name, outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task With_a_network_too_the_same_seed_gives_the_same_digest(string network)
    {
        string[] later = ["--calibrate-from", "2024-01-20", "--calibrate-to", "2024-01-25", "--network", network, "--network-epochs", "5"];
        string first = await workshop.DoAsync([.. Train, .. later, "-o", "@1"]);
        string second = await workshop.DoAsync([.. Train, .. later, "-o", "@2"]);
        Assert.Equal(Digest(first), Digest(second));
        Assert.Equal(network == "on", first.Contains("\nblend ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whether_a_network_was_taken_is_said_in_the_log_the_figures_and_the_report()
    {
        var outcome = await workshop.RunAsync([.. Train, "--calibrate-from", "2024-01-20", "--calibrate-to", "2024-01-25", "-o", "@m"]);
        var package = PackageFile.Read(workshop["m"], new VerificationPolicy { AcceptedKeys = CommonOptions.ReadVerificationKeys([workshop["me.pub.pem"]]) });
        using var ensemble = package.Ensemble!;
        var report = JsonDocument.Parse(package.Package!.File(PackageFiles.Report)).RootElement.GetProperty("network");

        Assert.Equal(ensemble.HasNetwork, report.GetProperty("taken").GetBoolean());
        Assert.Contains($"network {(ensemble.HasNetwork ? "taken" : "not taken")}: {report.GetProperty("reason").GetString()}", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("network_ap_gain", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blend_is_judged_beside_its_components()
    {
        await workshop.DoAsync([.. Train, "--calibrate-from", "2024-01-20", "--calibrate-to", "2024-01-25", "--network", "on", "-o", "@m"]);
        string shown = await workshop.DoAsync("evaluate", "-d", "@shop.json", "--history", "@history.parquet", "-p", "@m", "--public-key", "@me.pub.pem", "--from", "2024-01-25", "--to", "2024-01-31");
        Assert.Contains("its trees alone", shown, StringComparison.Ordinal);
        Assert.Contains("its network alone", shown, StringComparison.Ordinal);
    }

    private static string Digest(string description) =>
        description.Split('\n').Single(line => line.StartsWith("sha256", StringComparison.Ordinal))["sha256".Length..].Trim();
}
