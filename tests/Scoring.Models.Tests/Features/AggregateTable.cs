using Scoring.Models.Definitions;

namespace Scoring.Models.Tests.Features;

/// <summary>Every aggregate of a local entity over exact rings, each beside what a scan says.</summary>
internal static class AggregateTable
{
    /// <summary>After how many seconds a label counts.</summary>
    public const int LabelDelay = 20;

    public static IReadOnlyList<(FeatureDefinition Feature, Func<NaiveView, double> Scan)> Windowed { get; } =
    [
        Row("count", 10, v => v.Window(10).Count),
        Row("count", 30, v => v.Window(30).Count),
        Row("count", 10, v => v.Window(10, 15).Count, delay: 15),
        Row("count", 30, v => v.Window(30).Count(e => e.IsBig), where: "amount > 5"),
        Row("count", 30, v => v.Window(30).Count(e => e.IsSurprising), where: "amount > 2 * median && count >= 2"),
        Row("sum", 10, v => v.Window(10).Sum(e => e.Amount), of: "amount"),
        Row("sum", 30, v => v.Window(30).Where(e => e.Latitude is not null).Sum(e => e.Latitude!.Value), of: "latitude"),
        Row("mean", 30, v => Mean(v.Window(30).Select(e => e.Amount)), of: "amount"),
        Row("mean", 10, v => Mean(v.Window(10, 15).Select(e => e.Amount)), of: "amount", delay: 15),
        Row("mean", 30, v => Mean(v.Window(30).Where(e => e.IsBig).Select(e => e.Amount)), of: "amount", where: "amount > 5"),
        Row("std", 30, v => Std(v.Window(30).Select(e => e.Amount)), of: "amount"),
        Row("min", 10, v => v.Window(10).Min(e => e.Amount), of: "amount"),
        Row("max", 30, v => v.Window(30).Max(e => e.Amount), of: "amount"),
        Row("max", 10, v => v.Window(10, 15).Select(e => e.Amount).DefaultIfEmpty(double.NaN).Max(), of: "amount", delay: 15),
        Row("median", 30, v => Median(v.Window(30).Select(e => e.Amount)), of: "amount"),
        Row("distinct", 30, v => v.Window(30).Select(e => e.Merchant).Distinct(StringComparer.Ordinal).Count(), of: "merchant_id"),
        Row("ratio_to_mean", 30, v => v.Current.Amount / Mean(v.Window(30).Select(e => e.Amount)), of: "amount"),
        Row("ratio_to_median", 30, v => v.Current.Amount / Median(v.Window(30).Select(e => e.Amount)), of: "amount"),
        Row("ratio_to_spread", 30, v => Spread(v.Current.Amount, [.. v.Window(30).Select(e => e.Amount)]), of: "amount"),
        Row("time_since_last", 30, v => SinceLast(v, v.Window(30)), of: null),
        Row("run_length", 30, v => v.Window(30).AsEnumerable().Reverse().TakeWhile(e => string.Equals(e.Merchant, v.Current.Merchant, StringComparison.Ordinal)).Count(), of: "merchant_id"),
        Row("label_count", 10, v => LabelCount(v, 10)),
        Row("label_count", 60, v => LabelCount(v, 60)),
        Row("label_rate", 60, v => v.Window(60, LabelDelay) is { Count: > 0 } all ? Math.Min(1, LabelCount(v, 60) / (double)all.Count) : 0),
    ];

    public static IReadOnlyList<(FeatureDefinition Feature, Func<NaiveView, double> Scan)> All { get; } =
    [
        .. Windowed,
        Row("time_since_last", null, v => SinceLast(v, v.Events)),
        Row("time_since_last", null, v => v.Events.SkipLast(1).LastOrDefault(e => e.IsBig) is { } last ? (v.Now - last.TimeMs) / 1000.0 : double.NaN, where: "amount > 5"),
        Row("first_seen", null, v => (v.Now - v.FirstSeenMs) / 1000.0),
        Row("run_length", null, v => v.Events.Reverse().TakeWhile(e => e.IsBig).Count(), where: "amount > 5"),
        Row("label_run_age", null, v => Run(v) is { Count: > 0 } run ? (v.Now - run[^1].TimeMs) / 1000.0 : double.NaN),
        Row("label_gap", null, v => Run(v) is { Count: > 0 } run && Honest(v) is { } honest ? (run[^1].TimeMs - honest.TimeMs) / 1000.0 : double.NaN),
        Row("label_time_since_honest", null, v => Honest(v) is { } honest ? (v.Now - honest.TimeMs) / 1000.0 : double.NaN),
        Row("distance_from_last", null, v => LastPlace(v) is { } last ? Kilometres(last, v.Current) : double.NaN),
        Row("speed_from_last", null, v => LastPlace(v) is { } last ? Kilometres(last, v.Current) / (Math.Max(1000, v.Now - last.TimeMs) / 3_600_000.0) : double.NaN),
    ];

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static (FeatureDefinition, Func<NaiveView, double>) Row(
        string aggregate, int? seconds, Func<NaiveView, double> scan, string? of = null, int? delay = null, string? where = null)
    {
        string suffix = $"{seconds}_{delay}_{of}_{where?.Length}";
        return (new FeatureDefinition
        {
            Name = $"{aggregate}_{suffix}",
            Entity = "account",
            Aggregate = aggregate,
            Of = of,
            Window = seconds is { } length ? TimeSpan.FromSeconds(length) : null,
            Delay = delay is { } shift ? TimeSpan.FromSeconds(shift) : null,
            Where = where,
        }, scan);
    }

    private static double Mean(IEnumerable<double> values) => values.DefaultIfEmpty(double.NaN).Average();

    private static double Std(IEnumerable<double> values)
    {
        double[] all = [.. values];
        return all.Length == 0 ? double.NaN : Math.Sqrt(all.Average(value => (value - all.Average()) * (value - all.Average())));
    }

    private static double Spread(double current, double[] values)
    {
        double std = Std(values);
        return std < 1e-7 ? double.NaN : (current - values.Average()) / std;
    }

    private static double SinceLast(NaiveView view, IReadOnlyList<NaiveEvent> events) =>
        events.Count > 1 ? (view.Now - events[^2].TimeMs) / 1000.0 : double.NaN;

    private static int LabelCount(NaiveView view, int seconds) =>
        view.Events.Count(e => e.IsFraud && view.Now - (seconds * 1000) < e.CountsFromMs && e.CountsFromMs <= view.Now);

    private static List<NaiveEvent> Run(NaiveView view) => [.. view.Known(LabelDelay).TakeWhile(known => known.IsFraud).Select(known => known.Event)];

    private static NaiveEvent? Honest(NaiveView view) => view.Known(LabelDelay).FirstOrDefault(known => !known.IsFraud).Event;

    private static NaiveEvent? LastPlace(NaiveView view) =>
        view.Current.Latitude is null ? null : view.Events.SkipLast(1).LastOrDefault(e => e.Latitude is not null);

    /// <summary>By the angle between two unit vectors: another formula than the engine's.</summary>
    private static double Kilometres(NaiveEvent one, NaiveEvent other)
    {
        var (ax, ay, az) = Vector(one);
        var (bx, by, bz) = Vector(other);
        double cross = Math.Sqrt(Math.Pow((ay * bz) - (az * by), 2) + Math.Pow((az * bx) - (ax * bz), 2) + Math.Pow((ax * by) - (ay * bx), 2));
        return 6371.0088 * Math.Atan2(cross, (ax * bx) + (ay * by) + (az * bz));

        static (double X, double Y, double Z) Vector(NaiveEvent e)
        {
            double latitude = e.Latitude!.Value * Math.PI / 180;
            double longitude = e.Longitude!.Value * Math.PI / 180;
            return (Math.Cos(latitude) * Math.Cos(longitude), Math.Cos(latitude) * Math.Sin(longitude), Math.Sin(latitude));
        }
    }
}
