using Scoring.Models.Definitions;
using Scoring.Models.Events.Json;
using Scoring.Models.Events.Values;

namespace Scoring.Models.Events;

/// <summary>Decodes JSON events into columns, in place and in one pass. One decoder per thread; nothing is allocated for an event that is taken.</summary>
/// <remarks>
/// 1. Presence, size, headers, framing, UTF-8. 2. The walk: JSON, duplicates, card numbers; each mapped value into its column.
/// 3. Required fields. 4. Money that needs its currency. 5. The event's time against the clock. 6. Lengths of entity keys.
/// </remarks>
public sealed class EventDecoder
{
    private readonly FieldTarget[] targets;
    private readonly FieldTarget[] constants;
    private readonly int[] required;
    private readonly long[] taken;
    private readonly MemberWalk walk;
    private readonly Envelope envelope;
    private readonly EntityKeyLimits keyLimits;
    private readonly FieldTarget amount;
    private readonly FieldTarget eventTime;
    private readonly long futureToleranceMs;
    private readonly long earliestMs;
    private DecimalNumber money;
    private long serial;

    /// <summary>Compiles the mapping of a definition.</summary>
    /// <param name="definition">A definition that <see cref="ServiceDefinitionReader"/> found good.</param>
    /// <param name="valueBytesMax">Largest value that is taken. Default 64 KiB.</param>
    public EventDecoder(ServiceDefinition definition, int valueBytesMax = 64 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(valueBytesMax);
        Schema = EventSchema.From(definition);
        ValueBytesMax = valueBytesMax;
        targets = FieldTarget.Compile(definition, Schema);
        constants = [.. targets.Where(target => target.Constant is not null)];
        required = [.. Enumerable.Range(0, targets.Length).Where(i => targets[i].Field.Required && targets[i].Constant is null)];
        taken = new long[targets.Length];
        var members = Enumerable.Range(0, targets.Length).Where(i => targets[i].Names is not null)
            .Select(i => (targets[i].Names!, targets[i].Display, i, targets[i].IsToken)).ToList();
        walk = new MemberWalk(new MemberTrie(members));
        envelope = new Envelope(members, targets.Length);
        keyLimits = new EntityKeyLimits(definition, Schema);
        amount = targets[Schema.IndexOf(TransactionFields.AmountMinor)];
        eventTime = targets[Schema.IndexOf(TransactionFields.EventTime)];
        futureToleranceMs = (long)definition.Time.FutureTolerance.TotalMilliseconds;
        earliestMs = definition.Time.Earliest.ToUnixTimeMilliseconds();
    }

    /// <summary>The columns that events are decoded into.</summary>
    public EventSchema Schema { get; }

    /// <summary>Largest value that is taken, bytes.</summary>
    public int ValueBytesMax { get; }

    /// <summary>Members met so far that the mapping does not name: producers may add fields, and this says that they did.</summary>
    public long UnknownMembers => walk.UnknownMembers + envelope.Walk.UnknownMembers;

    /// <summary>Decodes one event into the batch's next row, which the caller then accepts. Never throws on input.</summary>
    /// <param name="value">The record's value.</param>
    /// <param name="isNull">Whether the record has none (a tombstone).</param>
    /// <param name="headers">Its headers.</param>
    /// <param name="nowMs">The clock, ms since 1970 UTC.</param>
    /// <param name="batch">A batch of <see cref="Schema"/> with room for a row.</param>
    /// <returns><see cref="Refusal.None"/>, or the first rule that the event breaks; the row is then given up.</returns>
    public Refusal Decode(ReadOnlySpan<byte> value, bool isNull, EventHeaders headers, long nowMs, TransactionBatch batch)
    {
        var refusal = ValueFraming.Check(value, isNull, headers, ValueBytesMax, out int start);
        if (!refusal.IsNone)
        {
            return refusal;
        }

        int row = batch.NextRow();
        serial++;
        foreach (var constant in constants)
        {
            constant.WriteConstant(batch, row);
        }

        var sink = new Sink(this, batch, row);
        refusal = headers.IsStructured ? envelope.Run(value, start, sink) : walk.Run(value, start, sink);
        return refusal.IsNone ? Finish(batch, row, nowMs) : refusal;
    }

    private RefusalCode Take(int target, scoped in JsonValue value, TransactionBatch batch, int row)
    {
        if (value.Kind == JsonKind.Null)
        {
            return RefusalCode.None;
        }

        taken[target] = serial;
        var field = targets[target];
        return field == amount && field.Unit != FieldUnit.Plain ? TakeMoney(value) : FieldWriter.Write(field, value, batch, row);
    }

    // The currency may stand behind the amount: until both are known the number is kept as it is.
    private RefusalCode TakeMoney(scoped in JsonValue value)
    {
        if (value.Kind != JsonKind.Number)
        {
            return RefusalCode.WrongType;
        }

        if (!DecimalNumber.TryParse(value.Text, out money))
        {
            return RefusalCode.NumberOutOfRange;
        }

        return money.IsNegative ? RefusalCode.NegativeAmount : RefusalCode.None;
    }

    private Refusal Finish(TransactionBatch batch, int row, long nowMs)
    {
        foreach (int index in required)
        {
            if (taken[index] != serial)
            {
                return new Refusal(RefusalCode.MissingField, targets[index].Display, 0);
            }
        }

        if (amount.Unit != FieldUnit.Plain)
        {
            int exponent = Currencies.Exponent(batch.Currencies[row]);
            int digits = amount.Unit == FieldUnit.Major ? exponent : exponent - 6;
            bool fits = money.TryScale(digits, out long amountMinor, out bool isExact);
            if (fits && !isExact && amount.Round && money.TryScale(digits + 1, out long tenths, out _))
            {
                (amountMinor, isExact) = ((tenths / 10) + (tenths % 10 >= 5 ? 1 : 0), true);
            }

            if (!fits)
            {
                return new Refusal(RefusalCode.NumberOutOfRange, amount.Display, 0);
            }

            if (!isExact)
            {
                return new Refusal(RefusalCode.BadFormat, amount.Display, 0);
            }

            batch.Integers(amount.Column)[row] = amountMinor;
        }

        long timeMs = batch.Times(eventTime.Column)[row];
        if (timeMs < earliestMs)
        {
            return new Refusal(RefusalCode.AncientTime, eventTime.Display, 0);
        }

        if (timeMs - futureToleranceMs > nowMs)
        {
            return new Refusal(RefusalCode.FutureTime, eventTime.Display, 0);
        }

        return keyLimits.Check(batch, row, targets);
    }

    internal readonly struct Sink(EventDecoder decoder, TransactionBatch batch, int row) : IMemberSink
    {
        public RefusalCode Take(int target, scoped in JsonValue value) => decoder.Take(target, value, batch, row);
    }
}
