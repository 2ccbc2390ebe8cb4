using System.IO.Compression;
using System.Text;
using Scoring.Models.Definitions;
using Scoring.Models.Events;

namespace Scoring.Models.Tests.Definitions;

public sealed class ServiceDefinitionReaderTests
{
    private const string Events = """{"fields":{"transaction_id":{"path":"id"},"event_time":{"path":"at"},"amount_minor":{"path":"sum"},"currency":{"constant":"EUR"},"account_id":{"path":"who"},"merchant_id":{"path":"shop"},"latitude":{"path":"lat"}}}""";

    private const string Entities = """{"account":{"key":["account_id"]},"merchant":{"key":["merchant_id"],"shared":{"pane":"1m"}}}""";

    [Theory]
    [InlineData("handbook.json", 15)]
    [InlineData("card-payments.json", 47)]
    public void Definitions_that_ship_are_good(string file, int featureCount)
    {
        var reading = ServiceDefinitionReader.ReadFile(RepositoryFiles.Definition(file));

        Assert.Empty(reading.Faults);
        Assert.Equal(featureCount, reading.Definition!.Features.Count);
        Assert.Matches("^[0-9a-f]{64}$", reading.Definition.Digest);
        Assert.NotNull(new EventDecoder(reading.Definition).Schema);
    }

    [Fact]
    public void Handbook_names_the_published_features_in_their_order()
    {
        using var file = new StreamReader(new GZipStream(File.OpenRead(RepositoryFiles.Shared("data/handbook/features.csv.gz")), CompressionMode.Decompress));
        string header = file.ReadLine()!;

        var definition = ServiceDefinitionReader.ReadFile(RepositoryFiles.Definition("handbook.json")).Definition!;

        Assert.Equal(header, "TRANSACTION_ID," + string.Join(',', definition.Features.Select(feature => feature.Name)));
    }

    [Fact]
    public void Digest_ignores_layout_and_order_of_members_but_no_value()
    {
        string digest = Digest("""{"service":"a","events":{},"policy":{"review":0.5,"decline":0.9}}""");

        Assert.Equal(digest, Digest("""{ "policy": { "decline": 0.90, "review": 5e-1 }, "events": {}, "service": "a" }"""));
        Assert.NotEqual(digest, Digest("""{"service":"a","events":{},"policy":{"review":0.5,"decline":0.8}}"""));
    }

    [Fact]
    public void Every_fault_is_reported_at_once()
    {
        var faults = Read("""
            {"service":"A b","events":{},"entitys":{},"policy":{"review":0.9,"decline":0.5},
             "features":[{"name":"x","entity":"acount","aggregate":"count","window":"7 days"},{"name":"x","aggregate":"men"}],
             "rules":[{"name":"r","when":"true","then":"decine"}]}
            """).Faults;

        Assert.Equal(
            ["$.features[0].window", "$.entitys", "$.service", "$.features[0].entity", "$.features[1].name", "$.features[1].aggregate", "$.rules[0].then", "$.policy.decline"],
            faults.Select(fault => fault.Path));
        Assert.Contains("\"entities\"", faults[1].Fix, StringComparison.Ordinal);
        Assert.Contains("\"decline\"", faults[6].Fix, StringComparison.Ordinal);
    }

    /// <summary>Member of the file, its bad value, path of the fault, a word of the fix.</summary>
    [Theory]
    [InlineData("service", "\"Card Payments\"", "$.service", "a-z")]
    [InlineData("service", "7", "$.service", "quotes")]
    [InlineData("service", "null", "$.service", "add")]
    [InlineData("version", "0", "$.version", "1 to")]
    [InlineData("version", "1.5", "$.version", "whole")]
    [InlineData("description", "\"\"", "$.description", "remove")]
    [InlineData("events", "[]", "$.events", "{")]
    [InlineData("events", """{"fields":{"transaction_id":{"path":"a"}}}""", "$.events.fields.event_time", "path")]
    [InlineData("events", """{"attributes":{"amount":{"type":"number","path":"x"}}}""", "$.events.attributes.amount", "another name")]
    [InlineData("events", """{"attributes":{"x":{"type":"nummer","path":"x"}}}""", "$.events.attributes.x.type", "number")]
    [InlineData("events", """{"attributes":{"x":{"type":"number"}}}""", "$.events.attributes.x", "one of them")]
    [InlineData("events", """{"attributes":{"x":{"type":"number","path":"a..b"}}}""", "$.events.attributes.x.path", "dots")]
    [InlineData("events", """{"attributes":{"x":{"type":"number","path":"a","unit":"major"}}}""", "$.events.attributes.x.unit", "remove")]
    [InlineData("events", """{"attributes":{"x":{"type":"number","path":"a","allow_integer":true}}}""", "$.events.attributes.x.allow_integer", "remove")]
    [InlineData("events", """{"attributes":{"x":{"type":"time","path":"a","epoch":"2018-04-01T00:00:00Z"}}}""", "$.events.attributes.x.epoch", "unit")]
    [InlineData("events", """{"attributes":{"x":{"type":"time","path":"a","unit":"secs"}}}""", "$.events.attributes.x.unit", "seconds")]
    [InlineData("events", """{"attributes":{"x":{"type":"text","path":"a"},"y":{"type":"text","path":"a.b"}}}""", "$.events.attributes.x.path", "member")]
    [InlineData("events", """{"attributes":{"x":{"type":"number","constant":"many"}}}""", "$.events.attributes.x.constant", "number")]
    [InlineData("events", """{"attributes":{"x":{"type":"time","constant":"2025-01-01T00:00:00Z","unit":"seconds"}}}""", "$.events.attributes.x.unit", "RFC 3339")]
    [InlineData("events", """{"fields":{"transaction_id":{"path":"id"},"event_time":{"path":"at"},"amount_minor":{"constant":"100","unit":"major"},"currency":{"constant":"EUR"},"account_id":{"path":"who"},"merchant_id":{"path":"shop"}}}""", "$.events.fields.amount_minor.unit", "minor units")]
    [InlineData("events", """{"attributes":{"x":{"type":"text","path":"a","path":"b"}}}""", "$.events.attributes.x.path", "one")]
    [InlineData("events", """{"attributes":{"x":{"type":"number","path":"a","round":true}}}""", "$.events.attributes.x.round", "remove")]
    [InlineData("labels", """{"delay":"soon"}""", "$.labels.delay", "7d")]
    [InlineData("labels", """{"fraud_values":[]}""", "$.labels.fraud_values", "1")]
    [InlineData("labels", """{"pth":"x"}""", "$.labels.pth", "\"path\"")]
    [InlineData("duplicates", """{"window":"0s"}""", "$.duplicates.window", "above zero")]
    [InlineData("duplicates", """{"transactions_max":0}""", "$.duplicates.transactions_max", "1 to")]
    [InlineData("duplicates", """{"windw":"1h"}""", "$.duplicates.windw", "\"window\"")]
    [InlineData("entities", """{"account":{"key":["acount_id"]}}""", "$.entities.account.key[0]", "\"account_id\"")]
    [InlineData("entities", """{"account":{"key":["latitude"]}}""", "$.entities.account.key[0]", "text fields")]
    [InlineData("entities", """{"account":{}}""", "$.entities.account.key", "fields")]
    [InlineData("entities", """{"account":{"key":["account_id"],"events_max":100}}""", "$.entities.account.events_max", "64")]
    [InlineData("entities", """{"account":{"key":["account_id"],"keys_max":0}}""", "$.entities.account.keys_max", "1 to")]
    [InlineData("entities", """{"account":{"key":["account_id"],"shared":{"pane":"10ms"}}}""", "$.entities.account.shared.pane", "1s")]
    [InlineData("features", """[{"name":"f","aggregate":"count","entity":"account"}]""", "$.features[0].window", "duration")]
    [InlineData("features", """[{"name":"f","aggregate":"count","window":"1h"}]""", "$.features[0].entity", "entities")]
    [InlineData("features", """[{"name":"f","aggregate":"mean","entity":"account","window":"1h"}]""", "$.features[0].of", "field")]
    [InlineData("features", """[{"name":"f","aggregate":"mean","entity":"account","window":"1h","of":"amuont"}]""", "$.features[0].of", "\"amount\"")]
    [InlineData("features", """[{"name":"f","aggregate":"mean","entity":"account","window":"1h","of":"currency"}]""", "$.features[0].of", "amount")]
    [InlineData("features", """[{"name":"f","aggregate":"distinct","entity":"merchant","window":"1h","of":"account_id"}]""", "$.features[0].aggregate", "count, sum")]
    [InlineData("features", """[{"name":"f","aggregate":"count","entity":"merchant","window":"90s"}]""", "$.features[0].window", "multiple")]
    [InlineData("features", """[{"name":"amount","aggregate":"value","of":"amount"}]""", "$.features[0].name", "another")]
    [InlineData("features", """[{"name":"1st","aggregate":"value","of":"amount"}]""", "$.features[0].name", "letters")]
    [InlineData("features", """[{"name":"f","aggregate":"membership","of":"currency"}]""", "$.features[0].values", "list")]
    [InlineData("features", """[{"name":"f","aggregate":"mismatch","of":"currency"}]""", "$.features[0].with", "other")]
    [InlineData("features", """[{"name":"f","aggregate":"night","hours":[5]}]""", "$.features[0].hours", "[0, 5]")]
    [InlineData("features", """[{"name":"f","aggregate":"value","of":"amount","window":"1h"}]""", "$.features[0].window", "remove")]
    [InlineData("features", """[{"name":"f","aggregate":"value","of":"amount","where":"amount > 1"}]""", "$.features[0].where", "remove")]
    [InlineData("features", """[{"name":"f","aggregate":"median","of":"amount","entity":"account","window":"1h","exact":false}]""", "$.features[0].exact", "remove")]
    [InlineData("features", """[{"name":"f","aggregate":"speed_from_last","entity":"account"}]""", "$.features[0].aggregate", "map both")]
    [InlineData("features", """[{"name":"f","aggregate":"value","of":"amount","reason":"big amount"}]""", "$.features[0].reason", "A-Z")]
    [InlineData("features", """[7]""", "$.features[0]", "{")]
    [InlineData("rules", """[{"name":"r","when":"true"}]""", "$.rules[0].then", "add")]
    [InlineData("rules", """[{"name":"r","when":"true","then":"review"},{"name":"r","when":"true","then":"review"}]""", "$.rules[1].name", "own")]
    [InlineData("policy", """{"review":1.5}""", "$.policy.review", "0 to 1")]
    [InlineData("policy", """{"without_model":"panic"}""", "$.policy.without_model", "approve")]
    [InlineData("model", """{"channel":"Top Model"}""", "$.model.channel", "a-z")]
    [InlineData("topics", """{"scores":"no spaces"}""", "$.topics.scores", "letters")]
    [InlineData("topics", """{"scores":"fraud.labels.v1"}""", "$.topics.scores", "own")]
    [InlineData("time", """{"earliest":"yesterday"}""", "$.time.earliest", "2018")]
    [InlineData("time", """{"future_tolerance":5}""", "$.time.future_tolerance", "quotes")]
    public void A_fault_names_its_place_and_its_fix(string member, string value, string path, string fix)
    {
        var members = new Dictionary<string, string>(StringComparer.Ordinal) { ["service"] = "\"test\"", ["events"] = Events, ["entities"] = Entities };
        members[member] = value;
        if (member is "events")
        {
            members.Remove("entities");
        }

        var reading = Read("{" + string.Join(',', members.Select(pair => $"\"{pair.Key}\":{pair.Value}")) + "}");

        Assert.Null(reading.Definition);
        var fault = Assert.Single(reading.Faults, fault => string.Equals(fault.Path, path, StringComparison.Ordinal));
        Assert.Contains(fix, fault.Fix + fault.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"service\":\"a\",}")]
    [InlineData("{\"service\":\"a\"}{}")]
    [InlineData("null")]
    public void What_is_no_object_of_JSON_is_a_fault(string text) => Assert.NotEmpty(Read(text).Faults);

    [Theory]
    [InlineData("10s", 10)]
    [InlineData("1m", 60)]
    [InlineData("1h", 3600)]
    [InlineData("7d", 604_800)]
    [InlineData("2w", 1_209_600)]
    [InlineData("P7D", 604_800)]
    [InlineData("PT1H30M", 5400)]
    [InlineData("P1DT1S", 86_401)]
    public void Durations_are_read(string text, int seconds)
    {
        Assert.True(DurationText.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
        Assert.True(DurationText.TryParse(DurationText.Format(duration), out var again));
        Assert.Equal(duration, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("d")]
    [InlineData("-1d")]
    [InlineData("1.5h")]
    [InlineData("P")]
    [InlineData("P1DT")]
    [InlineData("P1Y")]
    [InlineData("1000000000d")]
    [InlineData("99999999w")]
    public void Other_texts_are_no_durations(string text) => Assert.False(DurationText.TryParse(text, out _));

    private static DefinitionReading Read(string json) => ServiceDefinitionReader.Read(Encoding.UTF8.GetBytes(json));

    private static string Digest(string json) => Read(json).Definition!.Digest;
}
