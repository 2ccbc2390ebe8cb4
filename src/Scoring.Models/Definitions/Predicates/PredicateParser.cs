using System.Text;
using Kind = Scoring.Models.Definitions.Predicates.PredicateTokenKind;

namespace Scoring.Models.Definitions.Predicates;

/// <summary>Builds the tree of a predicate and checks the types of its parts.</summary>
/// <remarks>
/// Binds loosest to tightest: <c>||</c>, <c>&amp;&amp;</c>, comparisons and <c>in</c> (not chained), <c>+ -</c>, <c>* /</c>, <c>! -</c>.
/// A fault of grammar ends the reading; faults of names and types are all told.
/// </remarks>
internal sealed class PredicateParser(IReadOnlyList<PredicateToken> tokens, PredicateScope scope, List<PredicateFault> faults)
{
    /// <summary>Most parentheses and unary operators inside one another; bounds recursion and the evaluation stack.</summary>
    public const int DepthMax = 16;

    private int at;
    private int depth;
    private bool broken;

    private PredicateToken Next => tokens[at];

    /// <summary>The whole predicate; of use only when no fault was added.</summary>
    public PredicateNode Parse()
    {
        var root = Condition(Or());
        if (!broken && Next.Kind != Kind.End)
        {
            Break(
                $"{Shown(Next)} is not expected here",
                Next.Kind switch
                {
                    Kind.RightParenthesis => "remove it or open a parenthesis before",
                    Kind.Name when Next.Text is "and" or "or" or "not" => "write && for and, || for or, ! for not",
                    Kind.Equal or Kind.NotEqual or Kind.Less or Kind.LessOrEqual or Kind.Greater or Kind.GreaterOrEqual or Kind.In
                        => "comparisons do not chain: join two with &&",
                    _ => "join conditions with && or ||",
                });
        }

        return root;
    }

    private PredicateNode Or()
    {
        var left = And();
        while (Take(Kind.Or))
        {
            left = new BinaryNode(PredicateType.Boolean, Kind.Or, Condition(left), Condition(And()), left.Position);
        }

        return left;
    }

    private PredicateNode And()
    {
        var left = Comparison();
        while (Take(Kind.And))
        {
            left = new BinaryNode(PredicateType.Boolean, Kind.And, Condition(left), Condition(Comparison()), left.Position);
        }

        return left;
    }

    private PredicateNode Comparison()
    {
        var left = Sum();
        var sign = Next;
        switch (sign.Kind)
        {
            case Kind.Equal or Kind.NotEqual or Kind.Less or Kind.LessOrEqual or Kind.Greater or Kind.GreaterOrEqual:
                at++;
                return PredicateTypes.Compare(sign, left, Sum(), faults);
            case Kind.In:
                at++;
                return Set(left);
            default:
                return left;
        }
    }

    private PredicateNode Sum()
    {
        var left = Product();
        while (Next.Kind is Kind.Plus or Kind.Minus)
        {
            var sign = Next;
            at++;
            left = new BinaryNode(PredicateType.Number, sign.Kind, Number(left, sign.Text), Number(Product(), sign.Text), left.Position);
        }

        return left;
    }

    private PredicateNode Product()
    {
        var left = Unary();
        while (Next.Kind is Kind.Times or Kind.Divide)
        {
            var sign = Next;
            at++;
            left = new BinaryNode(PredicateType.Number, sign.Kind, Number(left, sign.Text), Number(Unary(), sign.Text), left.Position);
        }

        return left;
    }

    private PredicateNode Unary()
    {
        var sign = Next;
        if (sign.Kind is not (Kind.Not or Kind.Minus))
        {
            return Operand();
        }

        if (!Enter())
        {
            return new FaultyNode(sign.Position);
        }

        at++;
        var operand = Unary();
        depth--;
        if (sign.Kind == Kind.Not)
        {
            return new UnaryNode(PredicateType.Boolean, Condition(operand), sign.Position);
        }

        return operand is ConstantNode { Type: PredicateType.Number } constant
            ? new ConstantNode(PredicateType.Number, -constant.Value, sign.Position)
            : new UnaryNode(PredicateType.Number, Number(operand, "-"), sign.Position);
    }

    private PredicateNode Operand()
    {
        var token = Next;
        switch (token.Kind)
        {
            case Kind.Number:
                at++;
                return new ConstantNode(PredicateType.Number, token.Number, token.Position);
            case Kind.True or Kind.False:
                at++;
                return new ConstantNode(PredicateType.Boolean, token.Kind == Kind.True ? 1 : 0, token.Position);
            case Kind.Text:
                at++;
                return new TextNode(Encoding.UTF8.GetBytes(token.Text), token.Position);
            case Kind.Null:
                at++;
                return new NullNode(token.Position);
            case Kind.Name:
                at++;
                return Name(token);
            case Kind.LeftParenthesis:
                return Parenthesis(token);
            default:
                Break(
                    token.Kind == Kind.End ? "the predicate ends where a value is expected" : $"{Shown(token)} stands where a value is expected",
                    "write a field, a feature, a number, a text in quotes, true, false or null");
                return new FaultyNode(token.Position);
        }
    }

    private PredicateNode Parenthesis(PredicateToken opening)
    {
        if (!Enter())
        {
            return new FaultyNode(opening.Position);
        }

        at++;
        var inner = Or();
        depth--;
        if (!broken && !Take(Kind.RightParenthesis))
        {
            Break($"the parenthesis at {opening.Position} is not closed before {Shown(Next)}", "close it with )");
        }

        return inner;
    }

    private PredicateNode Name(PredicateToken token)
    {
        if (scope.Find(token.Text) is { } name)
        {
            return new NameNode(name, token.Position);
        }

        string? nearest = NearestName.Of(token.Text, scope.Names);
        faults.Add(new(
            token.Position,
            $"there is no field or feature {token.Text}",
            nearest is not null ? $"did you mean {nearest}?" : $"put a text into quotes: \"{token.Text}\", or use one of the definition's fields and features"));
        return new FaultyNode(token.Position);
    }

    /// <summary>The list after <c>in</c>: texts or numbers, at least one.</summary>
    private PredicateNode Set(PredicateNode operand)
    {
        var opening = Next;
        if (!Take(Kind.LeftBracket))
        {
            Break("in needs a list", "write in [\"a\", \"b\"] or in [1, 2]");
            return new FaultyNode(operand.Position);
        }

        var members = new List<PredicateNode>();
        do
        {
            var member = Unary();
            if (broken)
            {
                return new FaultyNode(operand.Position);
            }

            members.Add(member);
        }
        while (Take(Kind.Comma));

        if (!Take(Kind.RightBracket))
        {
            Break($"the list at {opening.Position} is not closed before {Shown(Next)}", "separate its values with , and close it with ]");
        }

        return PredicateTypes.Member(operand, members, faults);
    }

    private PredicateNode Condition(PredicateNode node)
    {
        if (node.Type is not (PredicateType.Boolean or PredicateType.Unknown) && !broken)
        {
            faults.Add(new(node.Position, $"{PredicateTypes.Named(node)} is no condition", "compare it with something, as in amount > 100 or channel == \"atm\""));
        }

        return node;
    }

    private PredicateNode Number(PredicateNode node, string sign)
    {
        if (node.Type is not (PredicateType.Number or PredicateType.Unknown) && !broken)
        {
            faults.Add(new(node.Position, $"{sign} needs numbers, but {PredicateTypes.Named(node)} is none", "use numbers and fields that hold numbers"));
        }

        return node;
    }

    private bool Take(Kind kind)
    {
        if (broken || Next.Kind != kind)
        {
            return false;
        }

        at++;
        return true;
    }

    private bool Enter()
    {
        if (depth == DepthMax)
        {
            Break($"more than {DepthMax} parentheses stand inside one another", "split the predicate into several rules");
            return false;
        }

        depth++;
        return true;
    }

    /// <summary>Tells a fault of grammar, once; what follows it could only be guessed.</summary>
    private void Break(string problem, string fix)
    {
        if (!broken)
        {
            broken = true;
            faults.Add(new(Next.Position, problem, fix));
            at = tokens.Count - 1;
        }
    }

    private static string Shown(PredicateToken token) => token.Kind switch
    {
        Kind.End => "the end",
        Kind.Text => $"the text \"{token.Text}\"",
        _ => token.Text,
    };
}
