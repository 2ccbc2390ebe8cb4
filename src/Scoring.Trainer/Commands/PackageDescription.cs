using System.Globalization;
using Scoring.Models.Packaging;

namespace Scoring.Trainer.Commands;

/// <summary>A package in some lines.</summary>
internal static class PackageDescription
{
    public static void Write(ModelPackage package, TextWriter output)
    {
        var manifest = package.Manifest;
        Line("package", $"{manifest.Name} {manifest.Version}, sequence {manifest.Sequence}, service {manifest.Service}");
        Line("sha256", package.Sha256);
        Line("key", manifest.KeyId);
        Line("producer", manifest.Producer);
        Line("features", $"{manifest.Features.Count}, plan {manifest.PlanDigest}");
        if (manifest.Training is { } training)
        {
            Line("learnt from", string.Create(CultureInfo.InvariantCulture, $"{training.From:yyyy-MM-dd HH:mm} to {training.To:yyyy-MM-dd HH:mm}, {training.Rows} transactions, {training.Frauds} frauds, seed {training.Seed}"));
            Line("settings", string.Join(", ", training.Settings.Select(setting => string.Create(CultureInfo.InvariantCulture, $"{setting.Key} {setting.Value}"))));
            if (training.Calibration is { } calibration)
            {
                Line("calibrated", string.Create(CultureInfo.InvariantCulture, $"{calibration.Method}, {calibration.From:yyyy-MM-dd HH:mm} to {calibration.To:yyyy-MM-dd HH:mm}, {calibration.Rows} transactions, {calibration.Frauds} frauds"));
            }
        }

        foreach (var (name, component) in new[] { ("trees", manifest.Trees), ("network", manifest.Network) })
        {
            if (component?.Calibration is { } calibration)
            {
                Line(name, string.Create(CultureInfo.InvariantCulture, $"{calibration.Kind} {calibration.Slope} {calibration.Intercept} {calibration.Note}").Trim());
            }
        }

        if (manifest.Blend is { } blend)
        {
            Line("blend", string.Create(CultureInfo.InvariantCulture, $"{blend.Bias:0.####} + {blend.Trees:0.####} trees + {blend.Network:0.####} network, in log-odds"));
        }

        Line("thresholds", string.Create(CultureInfo.InvariantCulture, $"review {manifest.Thresholds.Review:0.######}, decline {manifest.Thresholds.Decline:0.######} ({manifest.Thresholds.Basis})"));
        Line("valid", string.Create(CultureInfo.InvariantCulture, $"{manifest.NotBefore?.ToString("O", CultureInfo.InvariantCulture) ?? "always"} to {manifest.Expires?.ToString("O", CultureInfo.InvariantCulture) ?? "no end"}"));
        foreach (var (name, value) in manifest.Metrics)
        {
            Line(name, value.ToString("0.######", CultureInfo.InvariantCulture));
        }

        void Line(string name, string value) => output.WriteLine($"{name,-28}{value}");
    }
}
