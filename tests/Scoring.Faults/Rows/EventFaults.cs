using System.Text.Json.Nodes;
using Confluent.Kafka.Admin;
using Scoring.Faults.Service;
using Scoring.Models.Tests.Events;

namespace Scoring.Faults.Rows;

/// <summary>Input that nobody should send, among the payments: what is bad is answered by a dead letter, what is only odd by a right score.</summary>
/// <remarks>In all rows but that of schemas a worker is killed amid it.</remarks>
internal static class EventFaults
{
    private const int GiantBytesMax = 12_000_000;

    /// <summary>Longest until what a row mixes in is sent: broker and workers have their hands full.</summary>
    private static readonly TimeSpan SentBound = TimeSpan.FromSeconds(120);

    /// <summary>The corpus of bad events, without what no broker takes unasked.</summary>
    private static readonly BadEvent[] Corpus = [.. BadEvents.All.Where(bad => bad.Value is null || bad.Value.Length < 1_000_000)];

    /// <summary>Puts events of the corpus among the next payments.</summary>
    public static void MixBad(FaultRun run, int count)
    {
        var random = Fork(run);
        run.Payments.Mix(count, _ =>
        {
            var bad = Corpus[random.Next(Corpus.Length)];
            return new InputRecord("transactions", AnyAccount(random), bad.Value) { Headers = bad.Headers, IsRefused = true };
        });
    }

    /// <summary>More bad events than good ones.</summary>
    public static Task MalformedAsync(FaultRun run)
    {
        MixBad(run, 3_000);
        return KilledAmidAsync(run);
    }

    /// <summary>Puts payments of accounts that nobody has seen among the next ones.</summary>
    public static void MixNewAccounts(FaultRun run, int count)
    {
        var random = Fork(run);
        run.Payments.Mix(count, moment => Payment(moment.Id, moment.Time, $"new-{moment.Id}", random));
    }

    /// <summary>Payments of known and of new accounts, each at any time of the week before.</summary>
    public static Task ShuffledAsync(FaultRun run)
    {
        var random = Fork(run);
        run.Payments.Mix(2_000, moment =>
        {
            // Half of them within what windows still hold, half of them behind all.
            double lateHours = random.Next(2) == 0 ? random.NextDouble() * 2 : random.NextDouble() * 7 * 24;
            return Payment(moment.Id, moment.Time.AddHours(-lateHours), random.Next(4) == 0 ? $"s-{random.Next(100)}" : AnyAccount(random), random);
        });
        return KilledAmidAsync(run);
    }

    /// <summary>A sender adds members, which is no reason to refuse, or changes the type of one, which is.</summary>
    public static async Task ChangeSchemaAsync(FaultRun run)
    {
        var random = Fork(run);
        double before = await run.Workers.MetricAsync("fraudscoring_event_members_unknown_total");
        run.Payments.Mix(2_000, moment =>
        {
            string account = AnyAccount(random);
            var json = PaymentJson.Payment(moment.Id, moment.Time, account, $"m-{random.Next(40)}", random.Next(90_000));
            bool isRefused = random.Next(2) == 0;
            if (isRefused)
            {
                string changed = random.Next(3) switch { 0 => "amount_minor", 1 => "account_id", _ => "event_time" };
                json[changed] = random.Next(3) switch { 0 => new JsonObject { ["value"] = 1 }, 1 => true, _ => new JsonArray(1) };
            }
            else
            {
                json["risk_hint"] = "new";
                json["wallet"] = new JsonObject { ["kind"] = "phone", ["tokens"] = new JsonArray(1, 2, 3) };
            }

            return new InputRecord("transactions", account, PaymentJson.Bytes(json)) { IsRefused = isRefused };
        });
        await SentAsync(run);
        await run.UntilAsync("unknown members are counted", SentBound, async () => await run.Workers.MetricAsync("fraudscoring_event_members_unknown_total") > before);
    }

    /// <summary>Labels without a payment, labels that contradict each other, labels that come again, labels that cannot be read.</summary>
    public static Task FloodLabelsAsync(FaultRun run)
    {
        var random = Fork(run);
        run.Payments.Mix(6_000, moment =>
        {
            string id = $"l-{moment.Id}";
            var reportedAt = moment.Time.AddSeconds(random.Next(-600, 60));
            return random.Next(10) switch
            {
                < 4 => Label(PaymentJson.Label(id, moment.PaymentId, moment.Account, random.Next(2) == 0, reportedAt), moment.Account),
                < 5 => Label(PaymentJson.Label("l-again", moment.PaymentId, moment.Account, isFraud: true, moment.Time), moment.Account),
                < 9 => Label(PaymentJson.Label(id, $"unknown-{moment.Id}", moment.Account, isFraud: true, reportedAt), moment.Account),
                _ => new InputRecord("labels", moment.Account, Corpus[random.Next(Corpus.Length)].Value),
            };
        });
        return KilledAmidAsync(run);
    }

    /// <summary>Payments that are sent again, at once or a while later, and identifiers that are taken for another payment.</summary>
    public static Task RepeatAsync(FaultRun run)
    {
        var random = Fork(run);
        var earlier = new Queue<InputRecord>();
        run.Payments.Mix(2_000, moment =>
        {
            earlier.Enqueue(moment.Payment);
            var repeated = earlier.Count > 200 ? earlier.Dequeue() : random.Next(2) == 0 ? earlier.Peek() : moment.Payment;
            if (random.Next(4) > 0)
            {
                return repeated;
            }

            var other = JsonNode.Parse(repeated.Value!)!.AsObject();
            other["amount_minor"] = 90_001;
            return repeated with { Value = PaymentJson.Bytes(other), IsRefused = true };
        });
        return KilledAmidAsync(run);
    }

    /// <summary>Accounts and merchants that nobody has seen, and as often the same account.</summary>
    public static Task FloodKeysAsync(FaultRun run)
    {
        var random = Fork(run);
        run.Payments.Mix(20_000, moment => Payment(moment.Id, moment.Time, random.Next(2) == 0 ? "hot" : $"new-{moment.Id}", random));
        return KilledAmidAsync(run);
    }

    /// <summary>Has the input take records larger than what the outputs take.</summary>
    public static Task AllowGiantsAsync(FaultRun run) => run.Admin.IncrementalAlterConfigsAsync(((string[])["transactions", "labels"]).ToDictionary(
        topic => new ConfigResource { Type = ResourceType.Topic, Name = run.Service.Topic(topic) },
        _ => (List<ConfigEntry>)[new ConfigEntry { Name = "max.message.bytes", Value = FormattableString.Invariant($"{GiantBytesMax + 1_000_000}"), IncrementalOperation = AlterConfigOpType.Set }]));

    /// <summary>Records many times as large as any event may be, their headers too.</summary>
    public static Task GiantsAsync(FaultRun run)
    {
        var random = Fork(run);
        run.Payments.Mix(12, moment =>
        {
            // The first sizes are below what a topic takes by default, the others above.
            int bytes = random.Next(3) switch { 0 => random.Next(100_000, 900_000), 1 => random.Next(1_000_000, 5_000_000), _ => random.Next(5_000_000, GiantBytesMax) };
            var json = PaymentJson.Payment(moment.Id, moment.Time, moment.Account, "m-1", 100);
            json["note"] = new string('x', bytes);
            bool isLabel = random.Next(4) == 0;
            return new InputRecord(isLabel ? "labels" : "transactions", moment.Account, PaymentJson.Bytes(json))
            {
                IsRefused = !isLabel,
                Headers = random.Next(2) == 0 ? [("trace", new string('h', 300_000))] : [],
            };
        });
        return KilledAmidAsync(run);
    }

    // A worker dies while it has some of it: whoever takes over meets it a second time.
    private static async Task KilledAmidAsync(FaultRun run)
    {
        await run.PauseAsync(run.Random.NextDouble() * 1.5);
        await WorkerFaults.KillAsync(run);
        await SentAsync(run);
    }

    private static InputRecord Payment(string id, DateTimeOffset time, string account, Random random) =>
        new("transactions", account, PaymentJson.Bytes(PaymentJson.Payment(id, time, account, $"m-{random.Next(40)}", random.Next(90_000))));

    private static InputRecord Label(JsonObject json, string account) => new("labels", account, PaymentJson.Bytes(json));

    private static string AnyAccount(Random random) => FormattableString.Invariant($"{random.Next(1_000)}");

    // Records are made on the thread that sends them.
    private static Random Fork(FaultRun run) => new(run.Random.Next());

    private static Task<bool> SentAsync(FaultRun run) => run.UntilAsync("what the row wants is sent", SentBound, () => Task.FromResult(run.Payments.MixedDue == 0));
}
