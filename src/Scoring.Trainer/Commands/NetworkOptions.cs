using System.CommandLine;
using System.Globalization;
using Scoring.Trainer.Networks;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Commands;

/// <summary>Options of <see cref="NetworkSettings"/>.</summary>
internal sealed class NetworkOptions
{
    private const int LayersMax = 8;
    private const int WidthMax = 4_096;

    private static readonly NetworkSettings Default = new();

    private readonly Option<NetworkChoice> choice = new("--network")
    {
        Description = "a network beside the trees: auto takes it where the blend is better on later data, on takes it, off trains none",
        DefaultValueFactory = _ => NetworkChoice.Auto,
    };

    private readonly Option<NetworkDevice> device = new("--network-device") { Description = "where ONNX Runtime trains the network", DefaultValueFactory = _ => NetworkDevice.Cpu };
    private readonly Option<int[]> hidden = new("--network-hidden") { Description = "width of each hidden layer", DefaultValueFactory = _ => [.. Default.Hidden], AllowMultipleArgumentsPerToken = true };
    private readonly Option<Activation> activation = new("--network-activation") { Description = "what follows each hidden layer", DefaultValueFactory = _ => Default.Activation };
    private readonly Option<int> batchRows = CommonOptions.Count("--network-batch-rows", "rows of a training step", Default.BatchRows, 1, 65_536);
    private readonly Option<int> epochs = CommonOptions.Count("--network-epochs", "most passes over the rows", Default.EpochsMax, 1, 1_000);
    private readonly Option<int> patience = CommonOptions.Count("--network-patience", "passes without a better average precision on later rows that end training", Default.Patience, 1, 1_000);
    private readonly Option<double> learningRate = CommonOptions.Share("--network-learning-rate", "highest learning rate", Default.LearningRate);
    private readonly Option<double> weightDecay = CommonOptions.Share("--network-weight-decay", "share of the weights taken off per unit of learning rate", Default.WeightDecay);
    private readonly Option<double> fraudWeight = new("--network-fraud-weight") { Description = "weight of a fraud in the loss, an honest transaction weighs 1; above 0, at most 10000", DefaultValueFactory = _ => Default.FraudWeight };

    public NetworkOptions()
    {
        hidden.Validators.Add(result =>
        {
            int[] widths = result.GetValueOrDefault<int[]>() ?? [];
            if (widths.Length > LayersMax || Array.Exists(widths, width => width is < 1 or > WidthMax))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"--network-hidden {string.Join(' ', widths)}: at most {LayersMax} layers of 1 to {WidthMax}"));
            }
        });
        fraudWeight.Validators.Add(result =>
        {
            double value = result.GetValueOrDefault<double>();
            if (!(value > 0 && value <= 10_000))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"--network-fraud-weight {value}: above 0, at most 10000"));
            }
        });
    }

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { choice, device, hidden, activation, batchRows, epochs, patience, learningRate, weightDecay, fraudWeight })
        {
            command.Add(option);
        }
    }

    public NetworkChoice ReadChoice(ParseResult parsed) => parsed.GetValue(choice);

    public NetworkSettings Read(ParseResult parsed, int seed) => new()
    {
        Seed = seed,
        Device = parsed.GetValue(device),
        Hidden = parsed.GetRequiredValue(hidden),
        Activation = parsed.GetValue(activation),
        BatchRows = parsed.GetValue(batchRows),
        EpochsMax = parsed.GetValue(epochs),
        Patience = parsed.GetValue(patience),
        LearningRate = parsed.GetValue(learningRate),
        WeightDecay = parsed.GetValue(weightDecay),
        FraudWeight = parsed.GetValue(fraudWeight),
    };
}
