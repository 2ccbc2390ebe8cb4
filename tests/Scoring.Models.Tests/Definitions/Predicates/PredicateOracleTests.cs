using System.Globalization;
using CsCheck;
using Scoring.Models.Definitions.Predicates;

namespace Scoring.Models.Tests.Definitions.Predicates;

/// <summary>Random predicates against an interpreter that knows nothing but dictionaries and nullable values.</summary>
public sealed class PredicateOracleTests
{
    private static readonly string[] Texts = ["a", "b", "ab", "ä", "z\"q", "b\\"];

    private static readonly Gen<Expression> NumberLeaf = Gen.Frequency(
        (2, Gen.OneOf<Expression>(
            new Name("amount_minor"), new Name("items"), new Name("basket_weight"), new Name("event_time"), new Name("score"),
            new Name("amount_ratio", IsFeature: true), new Name("account_count_1h", IsFeature: true), new Name("amount"))),
        (1, Gen.OneOf(0.0, 1, 2, 0.1, 50_000, 1e300).Select(Expression (value) => new Constant(value))));

    private static readonly Gen<string> TextField = Gen.OneOf("channel", "merchant_id", "three_ds");

    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    private static Gen<Expression> Number(int depth) => depth == 0
        ? NumberLeaf
        : Gen.Frequency(
            (2, NumberLeaf),
            (1, Number(depth - 1).Where(inner => inner is not Constant).Select(Expression (inner) => new Negate(inner))),
            (3, Gen.Select(Number(depth - 1), Gen.OneOf("+", "-", "*", "/"), Number(depth - 1)).Select(Expression (parts) => new Arithmetic(parts.Item1, parts.Item2, parts.Item3))));

    private static Gen<Expression> Condition(int depth)
    {
        var leaf = Gen.OneOf(
            Gen.OneOf<Expression>(new Flag("gift"), new Flag("card_present"), new Truth(true), new Truth(false)),
            Gen.Select(Number(2), Gen.OneOf(Comparisons), Number(2))
                .Where(parts => !(parts.Item1 is Constant && parts.Item3 is Constant))
                .Select(Expression (parts) => new Compare(parts.Item1, parts.Item2, parts.Item3)),
            Gen.Select(TextField, Gen.OneOf(Comparisons), Gen.OneOf(Texts)).Select(Expression (parts) => new CompareText(parts.Item1, parts.Item2, parts.Item3, IsField: false)),
            Gen.Select(TextField, Gen.OneOf(Comparisons), TextField).Select(Expression (parts) => new CompareText(parts.Item1, parts.Item2, parts.Item3, IsField: true)),
            Gen.Select(Gen.OneOf("channel", "gift", "items", "amount_ratio", "score"), Gen.Bool).Select(Expression (parts) => new NullTest(parts.Item1, parts.Item2)),
            Gen.Select(TextField, Gen.OneOf(Texts).Array[1, 4]).Select(Expression (parts) => new In(parts.Item1, parts.Item2)),
            Gen.Select(Gen.OneOf("gift", "card_present"), Gen.Bool, Gen.Bool).Select(Expression (parts) => new CompareFlag(parts.Item1, parts.Item2, parts.Item3)));
        return depth == 0
            ? leaf
            : Gen.Frequency(
                (1, leaf),
                (1, Condition(depth - 1).Select(Expression (inner) => new Not(inner))),
                (2, Gen.Select(Condition(depth - 1), Condition(depth - 1)).Select(Expression (parts) => new Join(parts.Item1, "&&", parts.Item2))),
                (2, Gen.Select(Condition(depth - 1), Condition(depth - 1)).Select(Expression (parts) => new Join(parts.Item1, "||", parts.Item2))));
    }

    private static readonly Gen<Dictionary<string, object?>> Row =
        Gen.Select(
            Gen.Select(
                Maybe(Gen.OneOf(Texts)), Maybe(Gen.OneOf(Texts)), Gen.OneOf(Texts), Maybe(Gen.Bool), Maybe(Gen.Bool)),
            Gen.Select(
                Gen.OneOf(0L, 1, 2, 100, 50_000), Maybe(Gen.Long[-3, 3]), Maybe(Gen.OneOf(0.0, 0.1, 1, 2, -1)), Gen.OneOf("EUR", "JPY", "KWD"),
                Gen.OneOf(double.NaN, 0, 0.1, 1), Gen.OneOf(double.NaN, 0, 0.1, 1, 2), Gen.OneOf(double.NaN, 0, 1, 2)))
        .Select((words, numbers) => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["channel"] = words.Item1,
            ["three_ds"] = words.Item2,
            ["merchant_id"] = words.Item3,
            ["gift"] = words.Item4,
            ["card_present"] = words.Item5,
            ["event_time"] = 1_700_000_000_000L,
            ["amount_minor"] = numbers.Item1,
            ["items"] = numbers.Item2,
            ["basket_weight"] = numbers.Item3,
            ["currency"] = numbers.Item4,
            ["score"] = numbers.Item5,
            ["amount_ratio"] = numbers.Item6,
            ["account_count_1h"] = numbers.Item7,
        });

    [Fact]
    public void Random_predicates_mean_what_the_interpreter_says() =>
        Gen.Select(Condition(4), Row).Sample((expression, row) =>
        {
            string text = expression.ToString()!;
            var reading = Predicate.Parse(text, PredicateWorld.Scope);
            Assert.True(reading.Predicate is not null, $"{text}: {string.Join("; ", reading.Faults)}");
            Assert.True(expression.Holds(row) == new PredicateWorld(row).Evaluate(reading.Predicate), text);
        }, iter: 20_000);

    [Fact]
    public void Any_text_is_read_or_refused_with_a_position_inside_it() =>
        Gen.OneOf(
            Gen.String,
            Gen.OneOf("amount", "channel", "gift", "3", "1e", "\"a\"", "'b", "(", ")", "[", "]", ",", "in", "null", "true", "!", "-", "+", "*", "==", "<", "&&", "||", "=", "\\", "\ud800", " ")
                .Array[0, 25].Select(words => string.Join(' ', words)))
        .Sample(text =>
        {
            var reading = Predicate.Parse(text, PredicateWorld.Scope);
            Assert.Equal(reading.Predicate is null, reading.Faults.Count > 0);
            Assert.All(reading.Faults, fault => Assert.InRange(fault.Position, 0, text.Length));
        }, iter: 20_000);

    private static Gen<object?> Maybe<T>(Gen<T> gen) => Gen.Frequency((1, Gen.Const((object?)null)), (3, gen.Select(value => (object?)value)));

    /// <summary>A predicate as data: <see cref="object.ToString"/> writes it, <see cref="Holds"/> and <see cref="Value"/> interpret it.</summary>
    private abstract record Expression
    {
        public virtual bool Holds(Dictionary<string, object?> row) => throw new NotSupportedException();

        public virtual double? Value(Dictionary<string, object?> row) => throw new NotSupportedException();
    }

    private sealed record Name(string Field, bool IsFeature = false) : Expression
    {
        public override string ToString() => Field;

        public override double? Value(Dictionary<string, object?> row)
        {
            if (Field is "amount")
            {
                int digits = row["currency"] switch { "JPY" => 0, "KWD" => 3, _ => 2 };
                return double.Parse($"{row["amount_minor"]}e-{digits}", CultureInfo.InvariantCulture);
            }

            double? value = row[Field] switch { long integer => integer, double number => number, _ => null };
            return value is null or double.NaN ? null : IsFeature ? (float)value : value;
        }
    }

    private sealed record Constant(double Number) : Expression
    {
        public override string ToString() => Number.ToString(CultureInfo.InvariantCulture).Replace("E+", "e", StringComparison.Ordinal);

        public override double? Value(Dictionary<string, object?> row) => Number;
    }

    private sealed record Negate(Expression Inner) : Expression
    {
        public override string ToString() => $"-({Inner})";

        public override double? Value(Dictionary<string, object?> row) => -Inner.Value(row);
    }

    private sealed record Arithmetic(Expression Left, string Sign, Expression Right) : Expression
    {
        public override string ToString() => $"({Left} {Sign} {Right})";

        public override double? Value(Dictionary<string, object?> row)
        {
            double? left = Left.Value(row);
            double? right = Right.Value(row);
            double? result = Sign switch { "+" => left + right, "-" => left - right, "*" => left * right, _ => left / right };
            return result is { } number && double.IsFinite(number) ? number : null;
        }
    }

    private sealed record Compare(Expression Left, string Sign, Expression Right) : Expression
    {
        public override string ToString() => $"{Left} {Sign} {Right}";

        public override bool Holds(Dictionary<string, object?> row)
        {
            double? left = Left.Value(row);
            double? right = Right.Value(row);
            left = Left is Constant && Right is Name { IsFeature: true } ? (float)left! : left;
            right = Right is Constant && Left is Name { IsFeature: true } ? (float)right! : right;
            return left is { } a && right is { } b && SignHolds(Sign, a.CompareTo(b));
        }
    }

    private sealed record CompareText(string Field, string Sign, string Other, bool IsField) : Expression
    {
        public override string ToString() => $"{Field} {Sign} {(IsField ? Other : Quoted(Other))}";

        public override bool Holds(Dictionary<string, object?> row) =>
            row[Field] is string left && (IsField ? row[Other] : Other) is string right && SignHolds(Sign, string.CompareOrdinal(left, right));
    }

    private sealed record Flag(string Field) : Expression
    {
        public override string ToString() => Field;

        public override bool Holds(Dictionary<string, object?> row) => row[Field] is true;
    }

    private sealed record CompareFlag(string Field, bool IsEqual, bool Other) : Expression
    {
        public override string ToString() => $"{Field} {(IsEqual ? "==" : "!=")} {(Other ? "true" : "false")}";

        public override bool Holds(Dictionary<string, object?> row) => row[Field] is bool value && value == Other == IsEqual;
    }

    private sealed record Truth(bool Value1) : Expression
    {
        public override string ToString() => Value1 ? "true" : "false";

        public override bool Holds(Dictionary<string, object?> row) => Value1;
    }

    private sealed record NullTest(string Field, bool IsNull) : Expression
    {
        public override string ToString() => $"{Field} {(IsNull ? "==" : "!=")} null";

        public override bool Holds(Dictionary<string, object?> row) => row[Field] is null or double.NaN == IsNull;
    }

    private sealed record In(string Field, string[] Members) : Expression
    {
        public override string ToString() => $"{Field} in [{string.Join(", ", Members.Select(Quoted))}]";

        public override bool Holds(Dictionary<string, object?> row) => Members.Contains(row[Field]);
    }

    private sealed record Not(Expression Inner) : Expression
    {
        public override string ToString() => $"!({Inner})";

        public override bool Holds(Dictionary<string, object?> row) => !Inner.Holds(row);
    }

    private sealed record Join(Expression Left, string Sign, Expression Right) : Expression
    {
        public override string ToString() => $"({Left} {Sign} {Right})";

        public override bool Holds(Dictionary<string, object?> row) =>
            Sign is "&&" ? Left.Holds(row) && Right.Holds(row) : Left.Holds(row) || Right.Holds(row);
    }

    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static bool SignHolds(string sign, int order) => sign switch
    {
        "==" => order == 0,
        "!=" => order != 0,
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };
}
