using System.CommandLine;
using Scoring.Models.Ensembles;
using Scoring.Models.Events;
using Scoring.Models.Features;
using Scoring.Models.Packaging;
using Scoring.Trainer.History;
using Scoring.Trainer.Training;

namespace Scoring.Trainer.Commands;

/// <summary><c>train</c>: from a history to a signed package.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var definition = CommonOptions.Definition();
        var history = CommonOptions.History();
        var from = CommonOptions.Time("--from", "first event time to learn from", required: true);
        var to = CommonOptions.Time("--to", "end of what is learnt from, excluded", required: true);
        var calibrateFrom = CommonOptions.Time("--calibrate-from", "first event time to calibrate on; without it a twin trained earlier scores the training window");
        var calibrateTo = CommonOptions.Time("--calibrate-to", "end of what is calibrated on, excluded");
        var output = CommonOptions.Output("package to write");
        var key = CommonOptions.Key();
        var learner = new LearnerOptions();
        var network = new NetworkOptions();
        var calibration = new Option<string>("--calibration") { Description = "from margin to probability", DefaultValueFactory = _ => "platt" }.AcceptOnlyFromAmong("platt", "isotonic");
        var keep = new Option<bool>("--keep-compromised") { Description = "calibrate on accounts known to be compromised too; by default they are left out, as the field blocks them" };
        var reviews = CommonOptions.Count("--reviews-per-day", "review budget, where the definition states no threshold", 100, 1, 1_000_000);
        var precision = CommonOptions.Share("--decline-precision", "share of frauds from which on to decline, where the definition states no threshold", 0.9);
        var validity = new ValidityOptions();
        var command = new Command("train", "Learns from a history: trees, a network where it helps, calibration, thresholds; writes a signed model package.")
        {
            definition, history, from, to, calibrateFrom, calibrateTo, output, key, calibration, keep, reviews, precision,
        };
        learner.AddTo(command);
        network.AddTo(command);
        validity.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var service = CommonOptions.ReadDefinition(parsed.GetRequiredValue(definition));
            using var signingKey = CommonOptions.ReadSigningKey(parsed.GetRequiredValue(key));
            var plan = new TrainingPlan
            {
                Training = CommonOptions.Window(parsed.GetRequiredValue(from)!.Value, parsed.GetRequiredValue(to)!.Value),
                Calibration = CalibrationWindow(parsed.GetValue(calibrateFrom), parsed.GetValue(calibrateTo)),
                LabelDelayMs = (long)service.Labels.Delay.TotalMilliseconds,
                Learner = learner.Read(parsed),
                NetworkChoice = network.ReadChoice(parsed),
                Network = network.Read(parsed, learner.Read(parsed).Seed),
                CalibrationKind = string.Equals(parsed.GetValue(calibration), "isotonic", StringComparison.Ordinal) ? CalibrationKind.Isotonic : CalibrationKind.Platt,
                RemoveCompromised = !parsed.GetValue(keep),
                ReviewsPerDay = parsed.GetValue(reviews),
                DeclinePrecision = parsed.GetValue(precision),
            };
            var features = FeaturePlan.Compile(service, EventSchema.From(service));
            NetworkTrial? trial = null;
            var file = await Progress.RunAsync(TimeProvider.System, async progress =>
            {
                var table = await FeatureTables.ReadAsync(service, features, parsed.GetRequiredValue(history), plan.Needed, progress, cancellation);
                var model = TrainingRun.Run(table, plan, progress, cancellation).With(service.Policy);
                trial = model.Trial;
                var facts = validity.Read(parsed, service, features);
                return PackageAssembly.Sign(model, facts, PackageAssembly.Spread(table, table.Labelled(plan.Training)), signingKey);
            });
            if (trial is not null)
            {
                Console.Error.WriteLine($"network {(trial.IsTaken ? "taken" : "not taken")}: {trial.Reason}");
            }

            return Finish(file, signingKey, parsed.GetRequiredValue(output));
        });
        return command;
    }

    /// <summary>Verifies what was made as a worker would, writes it, and prints what it is.</summary>
    public static int Finish(byte[] file, PackageKey key, string output)
    {
        var reading = PackageVerifier.Verify(file, new VerificationPolicy { AcceptedKeys = [key] });
        if (reading.Refusal is { } refusal)
        {
            throw new InvalidOperationException($"the package that was just made is refused: {refusal.Code}: {refusal.Sentence}");
        }

        reading.Ensemble!.Dispose();
        File.WriteAllBytes(output, file);
        PackageDescription.Write(reading.Package!, Console.Out);
        Console.Error.WriteLine($"wrote {output}");
        return ExitCode.Ok;
    }

    private static TimeWindow? CalibrationWindow(DateTimeOffset? from, DateTimeOffset? to) => (from, to) switch
    {
        (null, null) => null,
        ({ } begin, { } end) => CommonOptions.Window(begin, end),
        _ => throw new TrainerException(ExitCode.Usage, "--calibrate-from and --calibrate-to belong together"),
    };
}
