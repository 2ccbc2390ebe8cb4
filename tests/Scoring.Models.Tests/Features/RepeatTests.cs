using System.Text;
using CsCheck;
using Scoring.Models.Decisions;
using Scoring.Models.Definitions;
using Scoring.Models.Events;
using Scoring.Models.Features;

namespace Scoring.Models.Tests.Features;

/// <summary>A transaction that came before is recognised, counts in nothing, and its answer is remembered as long as it is.</summary>
public sealed class RepeatTests
{
    private const long Epoch = 1_700_000_000_000;
    private const int WindowSeconds = 60;

    private static readonly FeatureDefinition Count = new() { Name = "count", Entity = "account", Aggregate = "count", Window = TimeSpan.FromDays(1) };

    private static readonly Answerer Model = new(new ScoreModel("m", "1", new string('a', 64)), new Thresholds(0.2, 0.7), 3, new string('b', 64));

    private sealed record Event(int Id, int Amount, int AfterSeconds);

    private static readonly Gen<Event[]> Events = Gen.Select(Gen.Int[0, 12], Gen.Int[1, 2], Gen.Int[-30, 45], (id, amount, after) => new Event(id, amount, after)).Array[1, 60];

    [Fact]
    public void Repeats_and_conflicts_are_those_that_a_list_of_all_events_tells() =>
        Gen.Select(Events, Gen.Int[1, 12]).Sample((events, most) =>
        {
            using var bench = NewBench(most);
            var naive = new NaiveList(most);
            long timeMs = Epoch;
            int counted = 0;
            foreach (var one in events)
            {
                timeMs += one.AfterSeconds * 1_000L;
                var should = naive.Take(one.Id, one.Amount, timeMs);
                double count = bench.Process("a", Payment(one, timeMs))[0];
                Assert.Equal(should, bench.Repetition);
                counted += should == Repetition.None ? 1 : 0;
                Assert.Equal(should != Repetition.None, double.IsNaN(count));
            }

            Assert.Equal(counted + 1, bench.Process("a", new NaiveEvent("last", Epoch + 7_200_000, 1, "m", null, null))[0]);
        }, iter: 3_000);

    [Fact]
    public void What_is_taken_back_was_never_met() =>
        Gen.Select(Events, Events).Sample((before, inside) =>
        {
            using var bench = NewBench(5);
            Run(bench, before, 0);
            var hash = bench.State.Hash();
            long offset = bench.NextOffset;
            bench.State.Begin();
            var first = Run(bench, inside, 3_600);
            bench.State.Rollback();
            Assert.Equal(hash, bench.State.Hash());
            bench.NextOffset = offset;
            Assert.Equal(first, Run(bench, inside, 3_600));
        }, iter: 1_000);

    [Fact]
    public void After_a_restart_a_repeat_is_known_and_has_its_answer_wherever_the_last_mark_stood() =>
        Gen.Select(Events, Gen.Int[0, 60], Gen.Int[0, 60]).Sample((events, markAt, killedAt) =>
        {
            markAt = Math.Min(markAt, events.Length - 1);
            killedAt = Math.Clamp(killedAt, markAt, events.Length - 1);
            using var bench = NewBench(8);
            bench.State.KeepChangelog();
            var topic = new List<(byte[] Key, byte[] Value)>();
            long timeMs = Epoch;
            for (int i = 0; i <= killedAt; i++)
            {
                timeMs += events[i].AfterSeconds * 1_000L;
                bench.State.Begin();
                bench.Process("a", Payment(events[i], timeMs));
                if (bench.Repetition == Repetition.None)
                {
                    bench.State.KeepAnswer(bench.NextOffset - 1, Answered(bench.NextOffset - 1), Model);
                }

                bench.State.DropForgottenAnswers();
                bench.State.WriteAnswers(Write);
                if (i == markAt)
                {
                    Assert.True(bench.State.WriteChanges(int.MaxValue, Write));
                    bench.State.WriteMark(new StateMark(i + 1, 0, 1), Write);
                }

                bench.State.Commit();
                bench.State.KeepWritten();
            }

            using var restored = NewBench(8);
            restored.State.KeepChangelog();
            var loader = new StateLoader(restored.State);
            topic.ForEach(record => loader.Take(record.Key, record.Value));
            Assert.Equal(StateFound.Marked, loader.Finish(out var mark));
            restored.NextOffset = mark.TransactionOffset;
            timeMs = Epoch + events[..(markAt + 1)].Sum(one => one.AfterSeconds * 1_000L);
            for (int i = markAt + 1; i <= killedAt; i++)
            {
                timeMs += events[i].AfterSeconds * 1_000L;
                restored.Process("a", Payment(events[i], timeMs));
                restored.State.DropForgottenAnswers();
            }

            for (long offset = 0; offset <= killedAt; offset++)
            {
                Assert.Equal(bench.State.TryAnswer(offset, out var answer), restored.State.TryAnswer(offset, out var restoredAnswer));
                Assert.Equal((answer.Score, answer.ScoredAtMs, answer.AnswererNumber), (restoredAnswer.Score, restoredAnswer.ScoredAtMs, restoredAnswer.AnswererNumber));
            }

            foreach (int id in events.Select(one => one.Id).Distinct())
            {
                var name = Encoding.UTF8.GetBytes($"t{id}");
                Assert.Equal(bench.State.Remembers(name), restored.State.Remembers(name));
            }

            if (bench.State.AnswererOf(Model.Number) is not null)
            {
                var answerer = restored.State.AnswererOf(Model.Number)!;
                Assert.Equal((Model.Model, Model.Thresholds, 3), (answerer.Model, answerer.Thresholds, answerer.DefinitionVersion));
            }

            void Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => topic.Add((key.ToArray(), value.ToArray()));
        }, iter: 1_000);

    [Fact]
    public void Answers_are_forgotten_with_their_transactions()
    {
        using var bench = NewBench(4);
        for (int i = 0; i < 1_000; i++)
        {
            bench.Process("a", Payment(new Event(i, 1, 0), Epoch + (i * 1_000L)));
            bench.State.KeepAnswer(i, Answered(i), Model);
            bench.State.DropForgottenAnswers();
        }

        Assert.Equal([false, true, true, true, true], Enumerable.Range(995, 5).Select(offset => bench.State.HasAnswer(offset)));
        Assert.True(bench.State.Bytes < 500_000, $"{bench.State.Bytes} bytes");
    }

    [Fact]
    public void A_repeat_finds_its_answer_though_a_later_row_of_its_batch_makes_the_first_forgotten()
    {
        using var bench = NewBench(100);
        var batch = bench.Batch([("a", At("t", 0)), ("a", At("t", 0)), ("a", At("later", 3_600)), ("a", At("t", 0))]);
        var block = new FeatureBlock(bench.Plan.FeatureCount, batch.RowCount);
        bench.Engine.Process(batch, 0, batch.RowCount, bench.States, block);
        Assert.Equal([Repetition.None, Repetition.Repeat, Repetition.None, Repetition.None], block.Repetitions[..4]);
        Assert.Equal(0, block.FirstOffsets[1]);
        foreach (int row in new[] { 0, 2, 3 })
        {
            bench.State.KeepAnswer(batch.Offsets[row], Answered(batch.Offsets[row]), Model);
        }

        Assert.True(bench.State.TryAnswer(block.FirstOffsets[1], out var answer));
        Assert.Equal(Answered(0).ScoredAtMs, answer.ScoredAtMs);
        bench.State.DropForgottenAnswers();
        Assert.Equal([false, false, true, true], Enumerable.Range(0, 4).Select(offset => bench.State.HasAnswer(offset)));

        static NaiveEvent At(string id, int seconds) => new(id, Epoch + (seconds * 1_000L), 5, "m", null, null);
    }

    [Theory]
    [InlineData("amount", Repetition.Conflict)]
    [InlineData("merchant", Repetition.Conflict)]
    [InlineData("account", Repetition.Conflict)]
    [InlineData("latitude", Repetition.Conflict)]
    [InlineData("message_type", Repetition.Repeat)]
    [InlineData("nothing", Repetition.Repeat)]
    public void Every_field_must_be_as_it_was_but_the_kind_of_message(string changed, Repetition expected)
    {
        var definition = Definition(100);
        var schema = EventSchema.From(definition);
        var plan = FeaturePlan.Compile(definition, schema);
        var batch = new TransactionBatch(schema, 2);
        Fill("", 0);
        Fill(changed, 1);
        var block = new FeatureBlock(plan.FeatureCount, 2);
        using var state = new PartitionState(plan, 0);
        new FeatureEngine(plan, new SharedAggregates(plan, 1)).Process(batch, 0, 2, [state], block);
        Assert.Equal([Repetition.None, expected], block.Repetitions[..2]);

        void Fill(string otherwise, long offset)
        {
            int row = batch.NextRow();
            batch.Times(schema.EventTime)[row] = Epoch;
            batch.Integers(schema.AmountMinor)[row] = otherwise is "amount" ? 101 : 100;
            batch.Currencies.Set(row, "EUR"u8);
            batch.TransactionIds.Set(row, "t"u8);
            batch.AccountIds.Set(row, otherwise is "account" ? "b"u8 : "a"u8);
            batch.MerchantIds.Set(row, otherwise is "merchant" ? "n"u8 : "m"u8);
            batch.Text(schema.ColumnIndex(schema.IndexOf("message_type"))).Set(row, otherwise is "message_type" ? "authorization_repeat"u8 : "authorization"u8);
            batch.Numbers(schema.ColumnIndex(schema.IndexOf("latitude")))[row] = otherwise is "latitude" ? double.NaN : 1;
            batch.Accept(0, offset, 0);
        }
    }

    private static ServiceDefinition Definition(int most) =>
        Bench.Definition([Count]) with { Duplicates = new DuplicateDefinition { Window = TimeSpan.FromSeconds(WindowSeconds), TransactionsMax = most } };

    private static Bench NewBench(int most) => new(Definition(most));

    private static NaiveEvent Payment(Event one, long timeMs) => new($"t{one.Id}", timeMs / (one.Id % 2 == 0 ? 1_000_000 : 1) * (one.Id % 2 == 0 ? 1_000_000 : 1), one.Amount, "m", null, null);

    private static KeptAnswer Answered(long offset) => new([new KeptReason(-1, 0, 1, 0.5)]) { Score = offset / 1_000.0, ScoredAtMs = Epoch + offset, AnswererNumber = Model.Number };

    private static List<Repetition> Run(Bench bench, Event[] events, int fromSeconds)
    {
        var found = new List<Repetition>();
        long timeMs = Epoch + (fromSeconds * 1_000L);
        foreach (var one in events)
        {
            timeMs += one.AfterSeconds * 1_000L;
            bench.Process("a", Payment(one, timeMs));
            found.Add(bench.Repetition);
        }

        return found;
    }

    /// <summary>All new events, looked through from the last one.</summary>
    private sealed class NaiveList(int most)
    {
        private readonly List<(int Id, int Amount, long EventMs, long LatestMs)> firsts = [];

        public Repetition Take(int id, int amount, long timeMs)
        {
            long eventMs = Payment(new Event(id, amount, 0), timeMs).TimeMs;
            long latestMs = firsts.Count == 0 ? eventMs : Math.Max(eventMs, firsts[^1].LatestMs);
            for (int i = firsts.Count - 1; i >= Math.Max(0, firsts.Count - most); i--)
            {
                if (firsts[i].Id == id && latestMs - firsts[i].LatestMs <= WindowSeconds * 1_000L)
                {
                    return (firsts[i].Amount, firsts[i].EventMs) == (amount, eventMs) ? Repetition.Repeat : Repetition.Conflict;
                }
            }

            firsts.Add((id, amount, eventMs, latestMs));
            return Repetition.None;
        }
    }
}
