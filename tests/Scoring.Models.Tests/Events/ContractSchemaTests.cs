using System.Text.Json;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Events.Contracts;

namespace Scoring.Models.Tests.Events;

public sealed class ContractSchemaTests
{
    [Fact]
    public void Transaction_has_the_fields_of_the_contract_and_requires_what_the_decoder_requires()
    {
        var schema = Schema("transaction.schema.json");
        Assert.Equal(TransactionFields.All.Select(field => field.Name).Append("metadata"), Members(schema));
        Assert.Equal(TransactionFields.All.Where(field => field.Required).Select(field => field.Name), Required(schema));
        Assert.Equal(["label_id", "transaction_id", "account_id"], Required(Schema("label.schema.json")));
    }

    [Fact]
    public void Every_member_is_described()
    {
        foreach (var (name, json) in ContractSchemas.All)
        {
            using var document = JsonDocument.Parse(json);
            Check(document.RootElement, name);
        }

        static void Check(JsonElement node, string path)
        {
            if (node.ValueKind != JsonValueKind.Object)
            {
                return;
            }

            if (node.TryGetProperty("properties", out var members))
            {
                Assert.All(members.EnumerateObject(), member => Assert.True(member.Value.TryGetProperty("description", out _), $"{path}/{member.Name}"));
            }

            foreach (var member in node.EnumerateObject())
            {
                Check(member.Value, $"{path}/{member.Name}");
            }
        }
    }

    /// <summary>The schema knows every member that the shipped definitions use, and the aggregates that the reader knows.</summary>
    [Theory]
    [InlineData("handbook.json")]
    [InlineData("card-payments.json")]
    public void Definition_schema_completes_what_ships(string file)
    {
        var schema = Schema("service-definition.schema.json");
        using var document = JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Definition(file)));
        Assert.Subset(Members(schema).ToHashSet(StringComparer.Ordinal), document.RootElement.EnumerateObject().Select(member => member.Name).ToHashSet(StringComparer.Ordinal));
        var feature = schema.GetProperty("properties").GetProperty("features").GetProperty("items");
        foreach (var used in document.RootElement.GetProperty("features").EnumerateArray())
        {
            Assert.Subset(Members(feature).ToHashSet(StringComparer.Ordinal), used.EnumerateObject().Select(member => member.Name).ToHashSet(StringComparer.Ordinal));
        }

        Assert.Equal(AggregateFacts.All.Select(facts => facts.Name), feature.GetProperty("properties").GetProperty("aggregate").GetProperty("enum").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(["service", "events"], Required(schema));
    }

    private static JsonElement Schema(string name)
    {
        using var document = JsonDocument.Parse(ContractSchemas.All.Single(schema => string.Equals(schema.FileName, name, StringComparison.Ordinal)).Json);
        return document.RootElement.Clone();
    }

    private static IEnumerable<string> Members(JsonElement schema) => schema.GetProperty("properties").EnumerateObject().Select(member => member.Name);

    private static IEnumerable<string?> Required(JsonElement schema) => schema.GetProperty("required").EnumerateArray().Select(name => name.GetString());
}
