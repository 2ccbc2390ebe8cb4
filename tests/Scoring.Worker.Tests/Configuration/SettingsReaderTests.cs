using Microsoft.Extensions.Configuration;
using Scoring.Worker.Configuration;

namespace Scoring.Worker.Tests.Configuration;

public sealed class SettingsReaderTests
{
    [Fact]
    public void Nothing_set_is_fine()
    {
        var settings = Read(out var faults);
        Assert.Empty(faults);
        Assert.Equal(256, settings.Lanes.RowsMax);
        Assert.Equal("127.0.0.1:9464", settings.Operations.Http.ToString());
    }

    [Theory]
    [InlineData("Lanes:RowsMax", "5000", "Lanes:RowsMax (environment: Lanes__RowsMax) is \"5000\"; it may be a whole number from 1 to 4096")]
    [InlineData("Lanes:RowsMax", "many", "Lanes:RowsMax (environment: Lanes__RowsMax) is \"many\"; it may be a whole number from 1 to 4096")]
    [InlineData("Kafka:BootstrapServers", "localhost", "Kafka:BootstrapServers (environment: Kafka__BootstrapServers) is \"localhost\"; it may be host:port, several separated by commas")]
    [InlineData("Kafka:From", "yesterday", "Kafka:From (environment: Kafka__From) is \"yesterday\"; it may be earliest or latest")]
    [InlineData("Operations:Http", "9464", "Operations:Http (environment: Operations__Http) is \"9464\"; it may be an address and a port, such as 127.0.0.1:9464 or 0.0.0.0:9464")]
    [InlineData("Serving:SequenceMin", "-1", "Serving:SequenceMin (environment: Serving__SequenceMin) is \"-1\"; it may be a whole number from 0 to 9223372036854775807")]
    [InlineData("Serving:WithoutModel", "yes", "Serving:WithoutModel (environment: Serving__WithoutModel) is \"yes\"; it may be true or false")]
    [InlineData("Kafka:Client:acks", "1", "Kafka:Client:acks is set; delivery and order rest on it, so it is not yours to set")]
    [InlineData("Kafka:Client:enable.ssl.certificate.verification", "false", "Kafka:Client:enable.ssl.certificate.verification is false; certificates are always verified, give the authority by ssl.ca.location")]
    public void A_wrong_setting_is_one_line_with_what_it_may_be(string path, string value, string line)
    {
        Read(out var faults, (path, value));
        Assert.Equal([line], faults);
    }

    [Fact]
    public void All_wrong_settings_are_told_at_once()
    {
        Read(out var faults, ("Lanes:Lanes", "0"), ("Lanes:CommitIntervalMs", "1"), ("Aggregates:LiveSeconds", "-1"));
        Assert.Equal(3, faults.Count);
    }

    [Fact]
    public void A_misspelt_setting_is_told_with_those_there_are()
    {
        Read(out var faults, ("Lanes:RowMax", "16"));
        Assert.StartsWith("Lanes:RowMax is no setting; section Lanes has ", Assert.Single(faults), StringComparison.Ordinal);
        Assert.Contains("Lanes:RowsMax", faults[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_later_source_wins_and_client_properties_keep_their_names()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal) { ["Lanes:RowsMax"] = "16", ["Kafka:Client:security.protocol"] = "SASL_SSL" })
            .AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal) { ["Lanes:RowsMax"] = "32" })
            .Build();
        var settings = SettingsReader.Read(configuration, out var faults);
        Assert.Empty(faults);
        Assert.Equal(32, settings.Lanes.RowsMax);
        Assert.Equal("SASL_SSL", settings.Kafka.Client["security.protocol"]);
    }

    private static WorkerSettings Read(out IReadOnlyList<string> faults, params (string Path, string Value)[] values) =>
        SettingsReader.Read(new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(value => value.Path, value => (string?)value.Value, StringComparer.Ordinal)).Build(), out faults);
}
