using Scoring.Models.Events;

namespace Scoring.Models.Definitions.Predicates;

/// <summary>A condition on one transaction, compiled once: <c>amount_minor &gt; 50000 &amp;&amp; channel == "ecommerce" &amp;&amp; three_ds == null</c>.</summary>
/// <remarks>
/// <para>Numbers are doubles (integers above 2^53 lose their last digits), times are milliseconds since 1970 UTC, features are the
/// floats that the models see, texts are compared byte by byte as UTF-8.</para>
/// <para>A value that an event lacks is missing. Arithmetic on it, a division by zero and a result too large for a double are missing too.
/// Every comparison with a missing value is false, <c>!=</c> included; only <c>== null</c> is true. A condition is therefore always true or
/// false: <c>!(channel == "atm")</c> is true where there is no channel. A boolean field as a condition reads as <c>== true</c>.</para>
/// <para>Evaluation allocates nothing and is safe from several threads.</para>
/// </remarks>
public sealed class Predicate
{
    /// <summary>Most characters of a predicate.</summary>
    public const int TextLengthMax = 4096;

    private readonly PredicateInstruction[] code;
    private readonly byte[][] literals;
    private readonly double[][] numberSets;
    private readonly byte[][][] textSets;
    private readonly EventSchema schema;

    internal Predicate(
        string text,
        EventSchema schema,
        PredicateInstruction[] code,
        byte[][] literals,
        double[][] numberSets,
        byte[][][] textSets,
        IReadOnlyList<string> names)
    {
        Text = text;
        Names = names;
        this.schema = schema;
        this.code = code;
        this.literals = literals;
        this.numberSets = numberSets;
        this.textSets = textSets;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>The names it uses, sorted: what must be computed for it.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Reads and compiles a predicate. Never throws on input.</summary>
    /// <param name="text">At most <see cref="TextLengthMax"/> characters.</param>
    /// <param name="scope">The names it may use.</param>
    public static PredicateReading Parse(string text, PredicateScope scope)
    {
        if (text.Length > TextLengthMax)
        {
            return new(null, [new(TextLengthMax, $"the predicate has {text.Length} characters, more than {TextLengthMax}", "split it into several rules")]);
        }

        if (new PredicateLexer(text, scope).Read(out var tokens) is { } fault)
        {
            return new(null, [fault]);
        }

        var faults = new List<PredicateFault>();
        var root = new PredicateParser(tokens, scope, faults).Parse();
        return faults.Count == 0
            ? new(PredicateCompiler.Compile(text, scope, root), [])
            : new(null, [.. faults.OrderBy(one => one.Position)]);
    }

    /// <summary>Whether the condition holds for a row.</summary>
    /// <param name="input">A row of the schema, with the features and extras of the scope that the predicate was compiled for.</param>
    public bool Evaluate(in PredicateInput input)
    {
        Span<double> stack = stackalloc double[PredicateCompiler.StackMax];
        int top = -1;
        var steps = code;
        for (int at = 0; at < steps.Length; at++)
        {
            ref readonly var step = ref steps[at];
            switch (step.Operation)
            {
                case PredicateOperation.Constant:
                    stack[++top] = step.Number;
                    break;
                case PredicateOperation.LoadNumber:
                    stack[++top] = input.Batch.Numbers(step.A)[input.Row];
                    break;
                case PredicateOperation.LoadInteger:
                    stack[++top] = OrMissing(input.Batch.Integers(step.A)[input.Row]);
                    break;
                case PredicateOperation.LoadTime:
                    stack[++top] = OrMissing(input.Batch.Times(step.A)[input.Row]);
                    break;
                case PredicateOperation.LoadBoolean:
                    sbyte flag = input.Batch.Booleans(step.A)[input.Row];
                    stack[++top] = flag < 0 ? double.NaN : flag;
                    break;
                case PredicateOperation.LoadAmount:
                    stack[++top] = CurrencyExponents.Major(
                        input.Batch.Integers(schema.AmountMinor)[input.Row], input.Batch.Currencies[input.Row]);
                    break;
                case PredicateOperation.LoadFeature:
                    stack[++top] = input.Features!.Get(input.Row, step.A);
                    break;
                case PredicateOperation.LoadScore:
                    stack[++top] = input.Score;
                    break;
                case PredicateOperation.LoadExtra:
                    stack[++top] = input.Extras[step.A];
                    break;
                case PredicateOperation.Negate:
                    stack[top] = -stack[top];
                    break;
                case PredicateOperation.Add:
                    top--;
                    stack[top] = FiniteOrMissing(stack[top] + stack[top + 1]);
                    break;
                case PredicateOperation.Subtract:
                    top--;
                    stack[top] = FiniteOrMissing(stack[top] - stack[top + 1]);
                    break;
                case PredicateOperation.Multiply:
                    top--;
                    stack[top] = FiniteOrMissing(stack[top] * stack[top + 1]);
                    break;
                case PredicateOperation.Divide:
                    top--;
                    stack[top] = FiniteOrMissing(stack[top] / stack[top + 1]);
                    break;
                case PredicateOperation.Equal:
                    top--;
                    stack[top] = stack[top] == stack[top + 1] ? 1 : 0;
                    break;
                case PredicateOperation.NotEqual:
                    top--;
                    stack[top] = stack[top] < stack[top + 1] || stack[top] > stack[top + 1] ? 1 : 0; // NaN is neither
                    break;
                case PredicateOperation.Less:
                    top--;
                    stack[top] = stack[top] < stack[top + 1] ? 1 : 0;
                    break;
                case PredicateOperation.LessOrEqual:
                    top--;
                    stack[top] = stack[top] <= stack[top + 1] ? 1 : 0;
                    break;
                case PredicateOperation.IsMissing:
                    stack[top] = double.IsNaN(stack[top]) ? 1 : 0;
                    break;
                case PredicateOperation.IsPresent:
                    stack[top] = double.IsNaN(stack[top]) ? 0 : 1;
                    break;
                case PredicateOperation.Not:
                    stack[top] = stack[top] == 1 ? 0 : 1;
                    break;
                case PredicateOperation.IsTrue:
                    stack[top] = stack[top] == 1 ? 1 : 0;
                    break;
                case PredicateOperation.InNumbers:
                    stack[top] = numberSets[step.B].AsSpan().Contains(stack[top]) && !double.IsNaN(stack[top]) ? 1 : 0;
                    break;
                case PredicateOperation.TextLiteralOrder:
                    stack[++top] = OrderHolds(input.Batch.Text(step.A)[input.Row], literals[step.B], step.Orders);
                    break;
                case PredicateOperation.TextColumnOrder:
                    stack[++top] = OrderHolds(input.Batch.Text(step.A)[input.Row], input.Batch.Text(step.B)[input.Row], step.Orders);
                    break;
                case PredicateOperation.TextIsMissing:
                    stack[++top] = input.Batch.Text(step.A).Has(input.Row) ? 0 : 1;
                    break;
                case PredicateOperation.TextIsPresent:
                    stack[++top] = input.Batch.Text(step.A).Has(input.Row) ? 1 : 0;
                    break;
                case PredicateOperation.InTexts:
                    stack[++top] = IsOneOf(input.Batch.Text(step.A)[input.Row], textSets[step.B]);
                    break;
                case PredicateOperation.ElseJump when stack[top] != 1:
                    stack[top] = 0;
                    at = step.A - 1;
                    break;
                case PredicateOperation.ThenJump when stack[top] == 1:
                    at = step.A - 1;
                    break;
                default: // a jump that is not taken: the other side decides
                    top--;
                    break;
            }
        }

        return stack[0] == 1;
    }

    /// <summary>The predicate as it was written.</summary>
    public override string ToString() => Text;

    private static double OrMissing(long value) => value == long.MinValue ? double.NaN : value;

    private static double FiniteOrMissing(double value) => double.IsFinite(value) ? value : double.NaN;

    private static double OrderHolds(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, TextOrders orders)
    {
        if (left.IsEmpty || right.IsEmpty)
        {
            return 0;
        }

        int order = left.SequenceCompareTo(right);
        var found = order < 0 ? TextOrders.Less : order > 0 ? TextOrders.Greater : TextOrders.Equal;
        return (orders & found) != TextOrders.None ? 1 : 0;
    }

    private static double IsOneOf(ReadOnlySpan<byte> value, byte[][] set)
    {
        foreach (byte[] member in set)
        {
            if (value.SequenceEqual(member))
            {
                return 1;
            }
        }

        return 0;
    }
}
