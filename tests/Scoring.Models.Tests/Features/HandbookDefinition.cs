using Scoring.Models.Definitions;

namespace Scoring.Models.Tests.Features;

/// <summary>The handbook's 15 features as definition records.</summary>
internal static class HandbookDefinition
{
    public static ServiceDefinition Create()
    {
        var features = new List<FeatureDefinition>
        {
            new() { Name = "tx_amount", Aggregate = "value", Of = "amount" },
            new() { Name = "during_weekend", Aggregate = "weekend" },
            new() { Name = "during_night", Aggregate = "night", Hours = [0, 6] },
        };
        int[] windowDays = [1, 7, 30];
        foreach (int days in windowDays)
        {
            features.Add(new() { Name = $"customer_count_{days}d", Entity = "customer", Aggregate = "count", Window = TimeSpan.FromDays(days) });
            features.Add(new() { Name = $"customer_mean_{days}d", Entity = "customer", Aggregate = "mean", Of = "amount", Window = TimeSpan.FromDays(days) });
        }

        foreach (int days in windowDays)
        {
            features.Add(new() { Name = $"terminal_count_{days}d", Entity = "terminal", Aggregate = "count", Window = TimeSpan.FromDays(days), Delay = TimeSpan.FromDays(7) });
            features.Add(new() { Name = $"terminal_risk_{days}d", Entity = "terminal", Aggregate = "label_rate", Window = TimeSpan.FromDays(days) });
        }

        return new ServiceDefinition
        {
            Service = "handbook",
            Events = new EventMapping(),
            Labels = new LabelMapping { Delay = TimeSpan.FromDays(7) },
            Entities = new Dictionary<string, EntityDefinition>(StringComparer.Ordinal)
            {
                ["customer"] = new() { Key = ["account_id"], EventsMax = 256, KeyBytesMax = 16 },
                ["terminal"] = new() { Key = ["terminal_id"], KeyBytesMax = 16, Shared = new() { Pane = TimeSpan.FromSeconds(1) } },
            },
            Features = features,
        };
    }
}
