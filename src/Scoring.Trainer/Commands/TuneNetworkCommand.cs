using System.CommandLine;
using System.Globalization;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Trainer.Evaluation;
using Scoring.Trainer.History;
using Scoring.Trainer.Networks;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Commands;

/// <summary><c>tune-network</c>: compares network settings on validation weeks, so that the test weeks stay unseen.</summary>
internal static class TuneNetworkCommand
{
    private static readonly NetworkSettings Default = new();

    public static Command Create()
    {
        var definition = CommonOptions.Definition();
        var history = CommonOptions.History();
        var windows = new TuneWindows();
        var seeds = TuneWindows.Grid("--seed", "seed of start and order", Default.Seed);
        var hidden = TuneWindows.Grid("--network-hidden", "widths of the hidden layers, joined by x, e.g. 64x32", string.Join('x', Default.Hidden));
        var activations = TuneWindows.Grid("--network-activation", "what follows each hidden layer", Default.Activation);
        var batchRows = TuneWindows.Grid("--network-batch-rows", "rows of a training step", Default.BatchRows);
        var rates = TuneWindows.Grid("--network-learning-rate", "highest learning rate", Default.LearningRate);
        var decays = TuneWindows.Grid("--network-weight-decay", "share of the weights taken off per unit of learning rate", Default.WeightDecay);
        var weights = TuneWindows.Grid("--network-fraud-weight", "weight of a fraud in the loss", Default.FraudWeight);
        var command = new Command("tune-network", "Compares network settings by the handbook's protocol over several weeks; every combination of the values given.")
        {
            definition, history, seeds, hidden, activations, batchRows, rates, decays, weights,
        };
        windows.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var service = CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition));
            var plan = FeaturePlan.Compile(service, EventSchema.From(service));
            long delayMs = (long)service.Labels.Delay.TotalMilliseconds;
            var weeks = windows.Read(parsed);
            var settings =
                from h in parsed.GetRequiredValue(hidden).Select(Widths).ToList()
                from a in parsed.GetRequiredValue(activations)
                from b in parsed.GetRequiredValue(batchRows)
                from r in parsed.GetRequiredValue(rates)
                from d in parsed.GetRequiredValue(decays)
                from w in parsed.GetRequiredValue(weights)
                from s in parsed.GetRequiredValue(seeds)
                select new NetworkSettings { Hidden = h, Activation = a, BatchRows = b, LearningRate = r, WeightDecay = d, FraudWeight = w, Seed = s };
            var table = await Progress.RunAsync(TimeProvider.System, progress =>
                FeatureTables.ReadAsync(service, plan, parsed.GetRequiredValue(history), TuneWindows.Needed(weeks, delayMs), progress, cancellation));
            Console.Out.WriteLine("hidden   activation batch   rate  decay weight seed epochs    AUC     AP CP@100  (means over the windows)");
            foreach (var candidate in settings)
            {
                var judged = weeks.Select(week => Judge(table, week, delayMs, candidate, cancellation)).ToList();
                Console.Out.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{string.Join('x', candidate.Hidden),-8} {candidate.Activation,-10} {candidate.BatchRows,5} {candidate.LearningRate,6:0.0000} {candidate.WeightDecay,6:0.000} {candidate.FraudWeight,6:0.0} {candidate.Seed,4} {judged.Average(j => j.Epochs),6:0.0} {judged.Average(j => j.Report.AreaUnderRoc),6:0.0000} {judged.Average(j => j.Report.AveragePrecision),6:0.0000} {judged.Average(j => j.Report.CardPrecision),6:0.0000}"));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static (int Epochs, EvaluationReport Report) Judge(FeatureTable table, TimeWindow training, long delayMs, NetworkSettings settings, CancellationToken cancellation)
    {
        var network = NetworkLearner.Train(table, table.Labelled(training), settings, (_, _) => { }, cancellation);
        var rows = HandbookProtocol.TestRows(table, training, delayMs);
        return (network.Epochs, EvaluationReport.Of(TrainingRun.Scored(table, rows, network.LogOdds([.. rows.Select(table.Features)]))));
    }

    private static int[] Widths(string text) => [.. text.Split('x').Select(part =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int width) && width > 0
            ? width
            : throw new TrainerException(ExitCode.Usage, $"--network-hidden {text}: not widths; write 64x32"))];
}
