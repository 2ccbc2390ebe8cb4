using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Tests;

namespace Scoring.Trainer.Tests;

public sealed class ModelsImportTests : IAsyncLifetime
{
    private readonly Workshop workshop = new();

    public async ValueTask InitializeAsync() => await workshop.DoAsync("models", "keygen", "-o", "@me");

    public ValueTask DisposeAsync()
    {
        workshop.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_model_in_log_odds_is_packed_and_taken_by_its_service()
    {
        WriteModel("m.onnx", featureCount: 3, low: -4, high: 3);

        await workshop.DoAsync("models", "import", "@m.onnx", "-d", "@shop.json", "-o", "@m", "--key", "@me.key.pem", "--log-odds", "--name", "theirs");
        string shown = await workshop.DoAsync("models", "show", "@m", "--key", "@me.pub.pem", "-d", "@shop.json");

        Assert.Contains("theirs 1", shown, StringComparison.Ordinal);
        Assert.Contains("log-odds", shown, StringComparison.Ordinal);
        Assert.Contains("good", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_gives_no_probability_must_say_what_it_gives()
    {
        WriteModel("m.onnx", featureCount: 3, low: -4, high: 3);
        await RefusesAsync("m.onnx", "--log-odds");
    }

    [Fact]
    public async Task A_model_in_probabilities_is_taken_as_it_is()
    {
        WriteModel("m.onnx", featureCount: 3, low: 0.1f, high: 0.9f);
        string shown = await workshop.DoAsync("models", "import", "@m.onnx", "-d", "@shop.json", "-o", "@m", "--key", "@me.key.pem");
        Assert.Contains("identity", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_of_other_features_is_refused()
    {
        WriteModel("m.onnx", featureCount: 4, low: 0.1f, high: 0.9f);
        await RefusesAsync("m.onnx", "paid, count_1d, mean_7d");
    }

    [Fact]
    public async Task What_is_no_model_is_refused()
    {
        workshop.Write("m.onnx", "not a model");
        await RefusesAsync("m.onnx", "m.onnx");
    }

    [Fact]
    public async Task A_LightGBM_model_of_another_team_is_packed_for_a_definition_of_its_features()
    {
        string model = RepositoryFiles.Shared("peers/model/model.onnx");
        string definition = RepositoryFiles.Definition("customer-velocity.json");

        await workshop.DoAsync("models", "import", model, "-d", definition, "-o", "@m", "--key", "@me.key.pem");
        string shown = await workshop.DoAsync("models", "show", "@m", "--key", "@me.pub.pem", "-d", definition);

        Assert.Contains("the model's own logistic function", shown, StringComparison.Ordinal);
    }

    private async Task RefusesAsync(string model, string sentence)
    {
        var outcome = await workshop.RunAsync("models", "import", $"@{model}", "-d", "@shop.json", "-o", "@m", "--key", "@me.key.pem");
        Assert.Equal(65, outcome.ExitCode);
        Assert.Contains(sentence, outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(workshop["m"]));
    }

    private void WriteModel(string name, int featureCount, float low, float high)
    {
        var builder = new TreeNodesBuilder(featureCount);
        builder.BeginTree();
        int root = builder.AddBranch(TreeNodeMode.AtMost, feature: 0, threshold: 100);
        int left = builder.AddLeaf(low);
        builder.Connect(root, left, builder.AddLeaf(high));
        File.WriteAllBytes(workshop[name], OnnxWriter.Write(OnnxTrees.Write(builder.Build())));
    }
}
