using Scoring.Models.Definitions;
using Scoring.Models.Features;
using Scoring.Models.Features.Sharing;
using Scoring.Models.Tests.Features;
using Scoring.Worker.State;

namespace Scoring.Worker.Tests.State;

/// <summary>What can happen to a partition that gives to a shared entity.</summary>
internal enum SharingAct
{
    /// <summary>The owner processes events.</summary>
    Process,

    /// <summary>It publishes what they gave.</summary>
    Publish,

    /// <summary>It commits.</summary>
    Commit,

    /// <summary>Its transaction is taken back.</summary>
    Abort,

    /// <summary>A lane of this process becomes the owner.</summary>
    GiveToThisProcess,

    /// <summary>A lane of another process becomes the owner.</summary>
    GiveToAnother,

    /// <summary>A lane of this process takes itself for the owner, as of what is committed; meanwhile another goes on, and this process reads what that one gives.</summary>
    TakeForOwner,

    /// <summary>A lane of this process that only takes itself for the owner processes events and publishes.</summary>
    GoOnDisplaced,

    /// <summary>Its transaction is taken back.</summary>
    AbortDisplaced,

    /// <summary>This process hears of it: until then its lane may take itself for the owner.</summary>
    Follow,

    /// <summary>The reader of this process receives records.</summary>
    Receive,
}

/// <summary>One step.</summary>
internal sealed record SharingStep(SharingAct Act, int Count);

/// <summary>One partition whose owners come and go, as a process sees it whose other partition reads what it gave. The topic is a list; what is not committed is not on it.</summary>
internal sealed class SharingWorld : IDisposable
{
    private const int Source = 1;
    private const long Start = 1_700_000_000_000;
    private const long PaneMs = 1_000;
    private const long SettleMs = 2_000;

    private readonly ServiceDefinition definition;
    private readonly NaiveEvent[] events;
    private readonly long[] panes;
    private readonly Bench reader;
    private readonly AggregatesLedger ledger;
    private readonly List<(byte[] Key, byte[] Value)> topic = [];
    private Owner owner;
    private Owner? displaced;
    private int committed;
    private int position;

    /// <summary>Starts with a lane of this process.</summary>
    /// <param name="definition">Counts events of a merchant.</param>
    /// <param name="gaps">Seconds between the events; below 0 for late ones.</param>
    public SharingWorld(ServiceDefinition definition, int[] gaps)
    {
        this.definition = definition;
        events = new NaiveEvent[gaps.Length];
        panes = new long[gaps.Length];
        long second = 20;
        long latest = 0;
        for (int i = 0; i < gaps.Length; i++)
        {
            second += gaps[i];
            events[i] = Event(second);
            latest = Math.Max(latest, events[i].TimeMs);
            panes[i] = latest / PaneMs * PaneMs;
        }

        reader = new Bench(definition, partitionCount: 2);
        ledger = new AggregatesLedger(reader.Shared, 2);
        ledger.Announce(0, ledger.Assign(0, formerEnd: 0), long.MaxValue, isIdle: false);
        owner = new Owner(definition, ledger.Assign(Source, formerEnd: 0));
        ledger.Own(Source, owner.Assignment, readBefore: 0);
    }

    public static NaiveEvent Event(long second) => new($"t{second}", Start + (second * 1_000), 100, "m", null, null);

    public void Do(SharingStep step)
    {
        switch (step.Act)
        {
            case SharingAct.Process:
                Process(step.Count);
                break;
            case SharingAct.Publish:
                Publish(owner);
                break;
            case SharingAct.Commit:
                long read = ledger.Position(Source);
                Commit();
                if (owner.IsHere)
                {
                    ledger.Settle(Source, owner.Assignment, read);
                }

                break;
            case SharingAct.Abort:
                TakeBack(owner);
                break;
            case SharingAct.GiveToThisProcess:
                TakeBack(owner);
                Leave(owner);
                long readBefore = ledger.Position(Source);
                long assignment = ledger.Assign(Source, topic.Count); // Another lane of it may not have heard yet that it is no owner any more.
                Receive(int.MaxValue);
                owner = Begin(assignment);
                owner.AdvanceWatermark(ledger.FormerWatermarkMs(Source));
                ledger.Own(Source, assignment, readBefore);
                break;
            case SharingAct.TakeForOwner when !owner.IsHere && displaced is null:
                Receive(int.MaxValue);
                long readUpTo = ledger.Position(Source);
                displaced = Begin(ledger.Assign(Source, topic.Count));
                displaced.ReadBefore = readUpTo;
                Process(step.Count);
                Publish(owner);
                Commit();
                Receive(int.MaxValue);
                displaced.AdvanceWatermark(ledger.FormerWatermarkMs(Source));
                break;
            case SharingAct.GiveToAnother when owner.IsHere && displaced is null:
                displaced = owner; // It does not know yet, and goes on as before; nothing of it will be committed.
                owner = Begin(assignment: 0);
                break;
            case SharingAct.GiveToAnother:
                TakeBack(owner);
                Leave(owner);
                owner = Begin(assignment: 0);
                break;
            case SharingAct.GoOnDisplaced when displaced is not null:
                GoOn(displaced, step.Count);
                break;
            case SharingAct.AbortDisplaced when displaced is { IsSpeaking: true }:
                TakeBack(displaced);
                break;
            case SharingAct.Follow when displaced is not null:
                if (displaced.IsSpeaking)
                {
                    TakeBack(displaced);
                }

                Leave(displaced);
                displaced = null;
                break;
            case SharingAct.Receive:
                Receive(step.Count);
                break;
            default:
                break; // There is nobody to do it.
        }
    }

    /// <summary>Looks at every pane that is told to be closed.</summary>
    public void CheckWhatIsTold()
    {
        long toldMs = ledger.MinWatermarkMs;
        if (toldMs > long.MinValue)
        {
            Assert.Equal(panes.Count(pane => pane + PaneMs <= toldMs), Read(toldMs + SettleMs));
        }
    }

    /// <summary>Looks at all of it, when the last owner has come to the end.</summary>
    public void CheckThatAllIsTold() => Assert.Equal(events.Length, Read(panes[^1] + PaneMs + SettleMs));

    public void Dispose()
    {
        reader.Dispose();
        ledger.Dispose();
        owner.Dispose();
        displaced?.Dispose();
    }

    private double Read(long timeMs) => reader.Process("reader", new NaiveEvent("r", timeMs, 100, "m", null, null))[0];

    private void Process(int count)
    {
        for (int i = 0; i < count && owner.Next < events.Length; i++)
        {
            owner.Process(events[owner.Next]);
        }
    }

    private void Commit()
    {
        topic.AddRange(owner.Commit());
        committed = owner.Next;
    }

    private void Publish(Owner from)
    {
        foreach (var (key, value) in from.Publish())
        {
            if (from.IsHere)
            {
                ledger.Apply(Source, from.Assignment, key, value);
            }
        }
    }

    private void TakeBack(Owner from)
    {
        if (from.IsHere)
        {
            ledger.TakeBack(Source, from.Assignment);
        }

        from.TakeBack((key, sum) =>
        {
            if (from.IsHere)
            {
                ledger.Apply(Source, from.Assignment, key, sum);
            }
        });
    }

    private void Leave(Owner from)
    {
        if (from.IsHere)
        {
            ledger.GiveUp(Source, from.Assignment);
        }

        from.Dispose();
    }

    /// <summary>What a lane does as the owner that it is not; one that never was speaks from where the topic ends on.</summary>
    private void GoOn(Owner from, int count)
    {
        for (int i = 0; i < count && from.Next < events.Length; i++)
        {
            SpeakIfItMay(from, events[from.Next].TimeMs);
            from.Process(events[from.Next]);
            SpeakIfItMay(from, long.MinValue);
            if (from.IsSpeaking)
            {
                Publish(from);
            }
            else
            {
                from.Publish(); // Another has said it.
            }

            CheckWhatIsTold();
        }
    }

    private void SpeakIfItMay(Owner from, long nextMs)
    {
        if (from.ReadBefore is { } readBefore && Math.Max(from.WatermarkMs, nextMs) >= ledger.ReceivedWatermarkMs(Source))
        {
            ledger.Own(Source, from.Assignment, readBefore);
            from.ReadBefore = null;
        }
    }

    private Owner Begin(long assignment)
    {
        long publishedMs = topic.Max(record => ContributionMark.TryRead(record.Key, record.Value, out long watermarkMs, out _) ? watermarkMs : (long?)null) ?? long.MinValue;
        var begun = new Owner(definition, assignment);
        for (int i = 0; i < committed; i++)
        {
            begun.Rebuild(events[i], publishedMs);
        }

        begun.Commit();
        return begun;
    }

    private void Receive(int count)
    {
        while (ledger.TryReread(out int partition, out long offset))
        {
            Assert.Equal(Source, partition);
            position = (int)offset;
        }

        for (int i = 0; i < count && position < topic.Count; i++, position++)
        {
            ledger.Receive(Source, position, topic[position].Key, topic[position].Value);
            CheckWhatIsTold();
        }
    }

    /// <summary>A lane that owns the partition, or takes itself for the owner.</summary>
    private sealed class Owner : IDisposable
    {
        private readonly Bench bench;
        private readonly List<(byte[] Key, byte[] Value)> open = [];
        private int next;
        private int begun;

        public Owner(ServiceDefinition definition, long assignment)
        {
            bench = new Bench(definition, partitionCount: 2);
            Assignment = assignment;
            bench.States[Source].Begin();
        }

        public long Assignment { get; }

        public bool IsHere => Assignment > 0;

        public int Next => next;

        public long WatermarkMs => bench.States[Source].WatermarkMs;

        /// <summary>How far the topic was read before it began; null when it speaks.</summary>
        public long? ReadBefore { get; set; }

        public bool IsSpeaking => ReadBefore is null;

        public void AdvanceWatermark(long watermarkMs) => bench.States[Source].AdvanceWatermark(watermarkMs);

        public void Process(NaiveEvent one)
        {
            bench.Process("a", one, Source);
            next++;
        }

        /// <summary>Processes what a former owner has committed. What that one has published too is not published again.</summary>
        public void Rebuild(NaiveEvent one, long publishedMs)
        {
            Process(one);
            if (bench.States[Source].WatermarkMs < publishedMs)
            {
                bench.States[Source].DrainContributions(static (_, _) => { });
            }
        }

        public List<(byte[] Key, byte[] Value)> Publish()
        {
            var told = new List<(byte[], byte[])>();
            bench.States[Source].DrainContributions((key, value) => told.Add((key.ToArray(), value.ToArray())));
            open.AddRange(told);
            return told;
        }

        public List<(byte[] Key, byte[] Value)> Commit()
        {
            bench.States[Source].Commit();
            bench.States[Source].Begin();
            begun = next;
            List<(byte[], byte[])> written = [.. open];
            open.Clear();
            return written;
        }

        public void TakeBack(ContributionWriter restored)
        {
            bench.States[Source].Rollback(restored);
            bench.States[Source].Begin();
            open.Clear();
            next = begun;
        }

        public void Dispose() => bench.Dispose();
    }
}
