using Scoring.Models.Definitions;
using Scoring.Models.Events.Json;
using Scoring.Models.Events.Values;

namespace Scoring.Models.Events;

/// <summary>Decodes labels (<c>fraud.labels.v1</c>), in our own names, under the rules of <see cref="EventDecoder"/>.</summary>
/// <remarks>Required: <c>label_id</c>, <c>transaction_id</c>, <c>account_id</c>. Without <c>is_fraud</c> the network's reason code decides, then the disposition.</remarks>
public sealed class LabelDecoder
{
    private static readonly string[] Members =
    [
        "label_id", "transaction_id", "account_id", "is_fraud", "source", "network", "reason_code", "disposition", "occurred_at", "reported_at", "transaction_time", "supersedes",
    ];

    private readonly FieldTarget[] facts;
    private readonly FieldTarget transactionTime;
    private readonly MemberWalk walk;
    private readonly Envelope envelope;
    private readonly int valueBytesMax;
    private readonly long futureToleranceMs;
    private readonly long earliestMs;
    private bool saysFraud;
    private Network network;
    private FraudMeaning reason;
    private FraudMeaning disposition;

    /// <summary>Prepares for a definition's labels.</summary>
    /// <param name="definition">A definition that <see cref="ServiceDefinitionReader"/> found good.</param>
    /// <param name="schema">The columns of its events.</param>
    /// <param name="valueBytesMax">Largest value that is taken. Default 64 KiB.</param>
    public LabelDecoder(ServiceDefinition definition, EventSchema schema, int valueBytesMax = 64 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(valueBytesMax);
        this.valueBytesMax = valueBytesMax;
        facts = [.. Enumerable.Range(0, schema.Fields.Count).Where(i => schema.Fields[i].Kind == FieldKind.Text).Select(Fact)];
        transactionTime = new FieldTarget(schema, schema.IndexOf(TransactionFields.EventTime), new FieldMapping { Path = "transaction_time" });
        var members = Members.Select((name, index) => ((IReadOnlyList<string>)[name], name, index, IsToken(name)))
            .Concat(facts.Select((fact, index) => (fact.Names!, fact.Display, Members.Length + index, fact.IsToken))).ToList();
        walk = new MemberWalk(new MemberTrie(members));
        envelope = new Envelope(members, Members.Length + facts.Length);
        futureToleranceMs = (long)definition.Time.FutureTolerance.TotalMilliseconds;
        earliestMs = definition.Time.Earliest.ToUnixTimeMilliseconds();

        bool IsToken(string name) => definition.Events.Fields?.GetValueOrDefault(name)?.Token ?? false;
        FieldTarget Fact(int index)
        {
            string name = schema.Fields[index].Name;
            bool isToken = IsToken(name) || (definition.Events.Attributes.GetValueOrDefault(name)?.Token ?? false);
            return new FieldTarget(schema, index, new FieldMapping { Path = name, AllowInteger = true, Token = isToken });
        }
    }

    private enum Network
    {
        Unsaid,
        Visa,
        Mastercard,
        Other,
    }

    private enum FraudMeaning
    {
        Unsaid,
        Fraud,
        Honest,
        NotKnown,
    }

    /// <summary>Decodes one label into the batch's next row, which the caller then accepts. Never throws on input.</summary>
    /// <param name="value">The record's value.</param>
    /// <param name="isNull">Whether the record has none (a tombstone).</param>
    /// <param name="headers">Its headers.</param>
    /// <param name="nowMs">The clock, ms since 1970 UTC.</param>
    /// <param name="batch">A batch of the same schema with room for a row.</param>
    /// <returns><see cref="Refusal.None"/>, or the first rule that the label breaks; the row is then given up.</returns>
    public Refusal Decode(ReadOnlySpan<byte> value, bool isNull, EventHeaders headers, long nowMs, LabelBatch batch)
    {
        var refusal = ValueFraming.Check(value, isNull, headers, valueBytesMax, out int start);
        if (!refusal.IsNone)
        {
            return refusal;
        }

        int row = batch.NextRow();
        (saysFraud, network, reason, disposition) = (false, Network.Unsaid, FraudMeaning.Unsaid, FraudMeaning.Unsaid);
        var sink = new Sink(this, batch, row);
        refusal = headers.IsStructured ? envelope.Run(value, start, sink) : walk.Run(value, start, sink);
        return refusal.IsNone ? Finish(batch, row, nowMs) : refusal;
    }

    private RefusalCode Take(int target, scoped in JsonValue value, LabelBatch batch, int row)
    {
        if (target == 3)
        {
            // null is an answer too: nobody knows.
            saysFraud = true;
            batch.IsFraud[row] = value.Kind switch { JsonKind.True => 1, JsonKind.False => 0, _ => -1 };
            return value.Kind is JsonKind.True or JsonKind.False or JsonKind.Null ? RefusalCode.None : RefusalCode.WrongType;
        }

        if (value.Kind == JsonKind.Null)
        {
            return RefusalCode.None;
        }

        if (target >= Members.Length)
        {
            return FieldWriter.Write(facts[target - Members.Length], value, batch.Facts, row);
        }

        // The walk looks at strings, and the facts of transaction and account at their integers.
        if (target is 0 or 11 && value.Kind == JsonKind.Number && CardNumbers.IsSuspected(value.Text))
        {
            return RefusalCode.PanSuspected;
        }

        if (target < 3)
        {
            var column = target == 0 ? batch.LabelIds : target == 1 ? batch.TransactionIds : batch.AccountIds;
            return TakeToken(value, column, row, lengthMax: target == 2 ? 128 : 64);
        }

        switch (target)
        {
            case 8:
                return FieldWriter.Time(transactionTime, value, ref batch.OccurredAtMs[row]);
            case 9:
                return FieldWriter.Time(transactionTime, value, ref batch.ReportedAtMs[row]);
            case 10:
                return FieldWriter.Write(transactionTime, value, batch.Facts, row);
            case 11:
                return TakeToken(value, batch.Supersedes, row, lengthMax: 64);
        }

        if (value.Kind != JsonKind.String)
        {
            return RefusalCode.WrongType;
        }

        switch (target)
        {
            case 4:
                batch.Sources[row] = SourceOf(value.Text);
                return batch.Sources[row] == LabelSource.Unknown ? RefusalCode.BadFormat : RefusalCode.None;
            case 5:
                network = System.Text.Ascii.EqualsIgnoreCase(value.Text, "visa"u8) ? Network.Visa
                    : System.Text.Ascii.EqualsIgnoreCase(value.Text, "mastercard"u8) ? Network.Mastercard : Network.Other;
                return RefusalCode.None;
            case 6:
                reason = ReasonOf(value.Text);
                return RefusalCode.None;
            default:
                disposition = value.Text.SequenceEqual("confirmed_fraud"u8) ? FraudMeaning.Fraud
                    : value.Text.SequenceEqual("false_positive"u8) ? FraudMeaning.Honest : FraudMeaning.NotKnown;
                return RefusalCode.None;
        }
    }

    // Identifiers come as the transactions carried them: a customer whose ids are integers may write integers here too.
    private static RefusalCode TakeToken(scoped in JsonValue value, TextColumn column, int row, int lengthMax)
    {
        if (value.Kind != JsonKind.String && !(value.Kind == JsonKind.Number && value.IsInteger))
        {
            return RefusalCode.WrongType;
        }

        var code = TextFormats.Check(FieldFormat.Token, lengthMax, value.Text, out var taken);
        if (code == RefusalCode.None)
        {
            column.Set(row, taken);
        }

        return code;
    }

    private Refusal Finish(LabelBatch batch, int row, long nowMs)
    {
        for (int i = 0; i < 3; i++)
        {
            var column = i == 0 ? batch.LabelIds : i == 1 ? batch.TransactionIds : batch.AccountIds;
            if (!column.Has(row))
            {
                return new Refusal(RefusalCode.MissingField, Members[i], 0);
            }
        }

        if (!saysFraud)
        {
            bool isNetworks = reason is not FraudMeaning.Unsaid && network is not Network.Other;
            batch.IsFraud[row] = (isNetworks ? reason : disposition) switch { FraudMeaning.Fraud => 1, FraudMeaning.Honest => 0, _ => -1 };
        }

        // Labels are taken in the order of their report: one from the future would hold up all that come behind it.
        long reportedMs = batch.ReportedAtMs[row];
        if (reportedMs != long.MinValue && reportedMs - futureToleranceMs > nowMs)
        {
            return new Refusal(RefusalCode.FutureTime, "reported_at", 0);
        }

        long timeMs = batch.Facts.Times(transactionTime.Column)[row];
        return timeMs == long.MinValue ? Refusal.None
            : timeMs < earliestMs ? new Refusal(RefusalCode.AncientTime, transactionTime.Display, 0)
            : timeMs - futureToleranceMs > nowMs ? new Refusal(RefusalCode.FutureTime, transactionTime.Display, 0)
            : Refusal.None;
    }

    private static LabelSource SourceOf(ReadOnlySpan<byte> text) =>
        text.SequenceEqual("chargeback"u8) ? LabelSource.Chargeback
        : text.SequenceEqual("fraud_report"u8) ? LabelSource.FraudReport
        : text.SequenceEqual("analyst"u8) ? LabelSource.Analyst
        : text.SequenceEqual("customer_claim"u8) ? LabelSource.CustomerClaim
        : text.SequenceEqual("issuer_confirmed"u8) ? LabelSource.IssuerConfirmed
        : LabelSource.Unknown;

    // Visa 10.1 to 10.5 and six of Mastercard's mean fraud; every other code is a dispute that says nothing about fraud.
    private static FraudMeaning ReasonOf(ReadOnlySpan<byte> code)
    {
        bool isFraud = (code.Length == 4 && code.StartsWith("10."u8) && code[3] is >= (byte)'1' and <= (byte)'5')
            || code.SequenceEqual("4837"u8) || code.SequenceEqual("4840"u8) || code.SequenceEqual("4849"u8)
            || code.SequenceEqual("4863"u8) || code.SequenceEqual("4870"u8) || code.SequenceEqual("4871"u8);
        return isFraud ? FraudMeaning.Fraud : FraudMeaning.NotKnown;
    }

    private readonly struct Sink(LabelDecoder decoder, LabelBatch batch, int row) : IMemberSink
    {
        public RefusalCode Take(int target, scoped in JsonValue value) => decoder.Take(target, value, batch, row);
    }
}
