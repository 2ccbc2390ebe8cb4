using System.IO.Hashing;
using System.Runtime.InteropServices;
using Scoring.Models.Definitions;
using Scoring.Models.Definitions.Predicates;
using Scoring.Models.Events;

namespace Scoring.Models.Features.Plan;

/// <summary>Gathers what an entity's features need and lays out its record. Features that can share a window, a counter, a value or a filter do.</summary>
internal sealed class EntityPlanBuilder(string name, int ordinal, EntityDefinition entity, EventSchema schema, LabelMapping labels)
{
    private const int PanesPerWindow = 32;
    private const int PanesMax = 4096;

    private readonly List<FeatureOp> ops = [];
    private readonly List<FieldSource> values = [];
    private readonly List<FieldSource> identities = [];
    private readonly List<FilterPlan> filters = [];
    private readonly List<(long LengthMs, long DelayMs, List<Need> Needs)> windows = [];
    private readonly List<(long LengthMs, long DelayMs, List<Need> Needs)> paneWindows = [];
    private readonly List<Need> sharedNeeds = [new(-1, 0, false)];
    private readonly List<long> sharedLabelFilters = [];
    private readonly long labelDelayMs = (long)labels.Delay.TotalMilliseconds;
    private long retentionMs;
    private bool needsRing;
    private int location = -1;

    private bool IsShared => entity.Shared is not null;

    public void Add(int featureIndex, FeatureDefinition feature)
    {
        var kind = FeaturePlanCompiler.KindOf(feature);
        bool ofLabels = kind is >= AggregateKind.LabelCount and <= AggregateKind.LabelHazard;
        bool counts = kind is AggregateKind.Count or AggregateKind.LabelRate;
        bool sums = kind is AggregateKind.Sum or AggregateKind.Mean or AggregateKind.Std or AggregateKind.RatioToMean or AggregateKind.RatioToSpread;
        bool squares = kind is AggregateKind.Std or AggregateKind.RatioToSpread;
        bool windowed = counts || sums || kind is AggregateKind.Min or AggregateKind.Max or AggregateKind.Median or AggregateKind.Distinct or AggregateKind.RatioToMedian;
        long lengthMs = feature.Window is { } window ? (long)window.TotalMilliseconds : long.MaxValue;
        long delayMs = Math.Max((long)(feature.Delay ?? TimeSpan.Zero).TotalMilliseconds, ofLabels ? labelDelayMs : 0);
        if ((windowed || kind == AggregateKind.LabelCount) && feature.Window is null)
        {
            throw Fault(feature, $"{feature.Aggregate} needs a window", "give one, such as \"7d\"");
        }

        int value = windowed && !counts && kind != AggregateKind.Distinct ? IndexOf(values, FeaturePlanCompiler.FieldOf(schema, feature.Name, feature.Of)) : -1;
        int identity = kind == AggregateKind.Distinct || (kind == AggregateKind.RunLength && feature.Of is not null)
            ? IndexOf(identities, FeaturePlanCompiler.FieldOf(schema, feature.Name, feature.Of))
            : -1;
        if (kind is AggregateKind.DistanceFromLast or AggregateKind.SpeedFromLast && location < 0)
        {
            // The two stand side by side and for nothing else, so that one index finds both.
            location = values.Count;
            values.Add(FeaturePlanCompiler.FieldOf(schema, feature.Name, "latitude"));
            values.Add(FeaturePlanCompiler.FieldOf(schema, feature.Name, "longitude"));
        }

        long filter = Filter(feature, value, lengthMs, delayMs);
        var need = new Need(value, filter, squares);
        var (windowIndex, accumulator) = (-1, -1);
        if (IsShared)
        {
            if (!(kind is AggregateKind.LabelCount || counts || (sums && kind <= AggregateKind.Std)))
            {
                throw Fault(feature, $"{feature.Aggregate} cannot be added up over partitions", "use count, sum, mean, std, label_count or label_rate, or an entity of the partition key");
            }

            windowIndex = IndexOf(windows, lengthMs, delayMs);
            accumulator = kind == AggregateKind.LabelCount ? -1 : IndexOf(sharedNeeds, need);
            if (ofLabels && !sharedLabelFilters.Contains(filter))
            {
                sharedLabelFilters.Add(filter);
            }
        }
        else if (!feature.Exact)
        {
            if (ofLabels || !windowed || kind is AggregateKind.Median or AggregateKind.Distinct or AggregateKind.RatioToMedian)
            {
                throw Fault(feature, $"{feature.Aggregate} cannot be kept in panes", "remove \"exact\": false");
            }

            windowIndex = IndexOf(paneWindows, lengthMs, delayMs);
            accumulator = IndexOf(paneWindows[windowIndex].Needs, need);
        }
        else
        {
            needsRing |= kind != AggregateKind.FirstSeen;
            windowIndex = windowed ? IndexOf(windows, lengthMs, delayMs) : -1;
            bool added = sums || (counts && filter != 0);
            accumulator = added ? IndexOf(windows[windowIndex].Needs, need) : -1;
        }

        retentionMs = Math.Max(retentionMs, lengthMs > long.MaxValue - delayMs ? long.MaxValue : lengthMs + delayMs);
        ops.Add(new FeatureOp
        {
            Kind = kind,
            Feature = featureIndex,
            Empty = feature.Empty ?? EmptyOf(kind),
            Window = windowIndex,
            Accumulator = accumulator,
            InPanes = !IsShared && !feature.Exact,
            Value = value,
            Identity = identity,
            Filter = filter,
            LengthMs = lengthMs,
            DelayMs = delayMs,
            LabelDelayMs = ofLabels ? delayMs - labelDelayMs : 0,
        });
    }

    public EntityPlan Build()
    {
        bool hasLabels = ops.Exists(op => op.Kind is >= AggregateKind.LabelCount and <= AggregateKind.LabelHazard);
        int eventsMax = needsRing ? entity.EventsMax : 0;
        if ((eventsMax & (eventsMax - 1)) != 0)
        {
            throw new ArgumentException($"entity {name}: eventsMax {eventsMax} is no power of two", nameof(entity));
        }

        int word = EntityPlan.HeaderWords;
        var windowPlans = IsShared ? [] : windows.ConvertAll(window =>
        {
            int cursor = word++;
            return new WindowPlan(window.LengthMs, window.DelayMs, cursor, Layout(window.Needs, ref word, inPanes: false));
        });
        var panePlans = paneWindows.ConvertAll(window => LayPanes(window, ref word));
        int eventWords = 1;
        int flagsWord = hasLabels || filters.Count > 0 ? eventWords++ : -1;
        int labelWord = hasLabels ? eventWords : -1;
        eventWords += hasLabels ? 2 : 0;
        int valuesWord = eventWords;
        int identitiesWord = valuesWord + values.Count;
        eventWords = identitiesWord + identities.Count;
        int ringWord = word;
        var shared = IsShared ? LayShared() : null;
        return new EntityPlan
        {
            Name = name,
            Ordinal = ordinal,
            KeyColumns = [.. entity.Key.Select(field => FeaturePlanCompiler.FieldOf(schema, $"of entity {name}", field).Column)],
            KeysMax = entity.KeysMax,
            KeyBytesMax = entity.KeyBytesMax,
            EventsMax = eventsMax,
            PaneMs = (long)(entity.Shared?.Pane.TotalMilliseconds ?? 0),
            SettleMs = (long)(entity.Shared?.Settle.TotalMilliseconds ?? 0),
            RetentionMs = retentionMs,
            Values = [.. values],
            Identities = [.. identities],
            Filters = [.. filters],
            Windows = [.. windowPlans],
            PaneWindows = [.. panePlans],
            HasLabels = hasLabels,
            HasHazard = ops.Exists(op => op.Kind == AggregateKind.LabelHazard),
            LabelDelayMs = labelDelayMs,
            Location = location,
            EventWords = eventWords,
            FlagsWord = flagsWord,
            LabelWord = labelWord,
            ValuesWord = valuesWord,
            IdentitiesWord = identitiesWord,
            RingWord = ringWord,
            PayloadWords = shared is null ? ringWord + (eventsMax * eventWords) : 1 + shared.Words,
            Shared = shared,
            Ops = [.. ops],
        };
    }

    private static double EmptyOf(AggregateKind kind) => kind is AggregateKind.Count or AggregateKind.Sum or AggregateKind.Distinct
        or AggregateKind.RunLength or AggregateKind.LabelCount or AggregateKind.LabelRate ? 0 : double.NaN;

    private static ArgumentException Fault(FeatureDefinition feature, string problem, string fix) => new($"feature {feature.Name}: {problem}; {fix}", nameof(feature));

    private static int IndexOf<T>(List<T> list, T item)
    {
        int index = list.IndexOf(item);
        if (index < 0)
        {
            index = list.Count;
            list.Add(item);
        }

        return index;
    }

    private static int IndexOf(List<(long LengthMs, long DelayMs, List<Need> Needs)> list, long lengthMs, long delayMs)
    {
        int index = list.FindIndex(window => window.LengthMs == lengthMs && window.DelayMs == delayMs);
        if (index < 0)
        {
            index = list.Count;
            list.Add((lengthMs, delayMs, []));
        }

        return index;
    }

    private static AccumulatorPlan[] Layout(List<Need> needs, ref int word, bool inPanes)
    {
        var plans = new AccumulatorPlan[needs.Count];
        for (int i = 0; i < plans.Length; i++)
        {
            plans[i] = new AccumulatorPlan(word, needs[i].Value, needs[i].Filter, needs[i].Squares || inPanes);
            word += needs[i].Value < 0 ? 1 : inPanes ? 6 : needs[i].Squares ? 4 : 2;
        }

        return plans;
    }

    private PaneWindowPlan LayPanes((long LengthMs, long DelayMs, List<Need> Needs) window, ref int word)
    {
        long paneMs = (window.LengthMs + PanesPerWindow - 1) / PanesPerWindow;
        long paneCount = PanesPerWindow + 1 + (window.DelayMs / paneMs);
        if (paneCount > PanesMax)
        {
            throw new ArgumentException($"entity {name}: a window of {window.LengthMs} ms delayed by {window.DelayMs} ms needs {paneCount} panes, more than {PanesMax}; make the window longer or exact", nameof(window));
        }

        int paneWords = 1;
        var accumulators = Layout(window.Needs, ref paneWords, inPanes: true);
        int first = word;
        word += (int)paneCount * paneWords;
        return new PaneWindowPlan(paneMs, window.DelayMs, (int)paneCount, first, paneWords, accumulators);
    }

    private SharedPlan LayShared()
    {
        int words = 0;
        var counters = Layout(sharedNeeds, ref words, inPanes: false);
        string shape = $"{name} {string.Join(',', entity.Key)} {entity.Shared} {labels.Delay} {string.Join(' ', values)} {string.Join(' ', sharedNeeds)} {string.Join(' ', sharedLabelFilters)} {string.Join(' ', filters.Select(filter => filter.Predicate.Text))}";
        uint hash = (uint)XxHash3.HashToUInt64(MemoryMarshal.AsBytes(shape.AsSpan()));
        return new SharedPlan(counters, words, [.. sharedLabelFilters], [.. windows.Select(window => new SharedWindowPlan(window.LengthMs, window.DelayMs))], labelDelayMs, hash);
    }

    private long Filter(FeatureDefinition feature, int value, long lengthMs, long delayMs)
    {
        if (feature.Where is not { } text)
        {
            return 0;
        }

        var reading = Predicate.Parse(text, PredicateScope.ForWhere(schema));
        if (reading.Predicate is not { } predicate)
        {
            throw Fault(feature, $"where: {reading.Faults[0]}", "correct the predicate");
        }

        bool needsStatistics = predicate.Names.Any(PredicateScope.WindowStatistics.Contains);
        if (needsStatistics && IsShared)
        {
            throw Fault(feature, "where: median, mean and count of a shared entity are not known to its partitions", "compare with a number, or use an entity of the partition key");
        }

        if (needsStatistics)
        {
            needsRing = true;
            value = value >= 0 ? value : IndexOf(values, new FieldSource(FieldOrigin.Amount, schema.AmountMinor));
        }

        var known = filters.Find(filter => string.Equals(filter.Predicate.Text, text, StringComparison.Ordinal)
            && (!needsStatistics || (filter.Value == value && filter.LengthMs == lengthMs && filter.DelayMs == delayMs)));
        if (known is null)
        {
            if (filters.Count == EntityPlan.FiltersMax)
            {
                throw Fault(feature, $"entity {name} has more than {EntityPlan.FiltersMax} different filters", "remove some");
            }

            known = new FilterPlan(predicate, 1L << filters.Count, needsStatistics, value, lengthMs, delayMs);
            filters.Add(known);
        }

        return known.Bit;
    }

    /// <summary>What must be added up: of which value (-1: events), behind which filter, with squares or not.</summary>
    private readonly record struct Need(int Value, long Filter, bool Squares);
}
