using Kind = Scoring.Models.Definitions.Predicates.PredicateTokenKind;

namespace Scoring.Models.Definitions.Predicates;

/// <summary>Turns a checked tree into a flat list of steps.</summary>
internal sealed class PredicateCompiler
{
    /// <summary>Slots of the evaluation stack: at most 3 per level of parentheses (<c>a &lt; b + c * (</c>) and as many outside them.</summary>
    public const int StackMax = 3 * (PredicateParser.DepthMax + 1);

    private readonly List<PredicateInstruction> code = [];
    private readonly List<byte[]> literals = [];
    private readonly List<double[]> numberSets = [];
    private readonly List<byte[][]> textSets = [];
    private readonly SortedSet<string> names = new(StringComparer.Ordinal);

    private PredicateCompiler()
    {
    }

    /// <summary>Compiles a condition without faults.</summary>
    public static Predicate Compile(string text, PredicateScope scope, PredicateNode root)
    {
        var compiler = new PredicateCompiler();
        compiler.Emit(root);
        return new Predicate(
            text, scope.Schema, [.. compiler.code], [.. compiler.literals], [.. compiler.numberSets], [.. compiler.textSets], [.. compiler.names]);
    }

    private void Emit(PredicateNode node)
    {
        switch (node)
        {
            case ConstantNode constant:
                code.Add(new(PredicateOperation.Constant, Number: constant.Value));
                break;
            case NameNode name:
                names.Add(name.Name.Name);
                code.Add(new(Load(name.Name.Source), name.Name.Index));
                break;
            case UnaryNode unary:
                Emit(unary.Operand);
                code.Add(new(unary.Type == PredicateType.Number ? PredicateOperation.Negate : PredicateOperation.Not));
                break;
            case BinaryNode { Operator: Kind.And or Kind.Or } joined:
                EmitJoined(joined);
                break;
            case BinaryNode { Left.Type: PredicateType.Text } texts:
                EmitTexts(texts);
                break;
            case BinaryNode binary:
                EmitNumbers(binary);
                break;
            case NullTestNode { Operand: NameNode { Type: PredicateType.Text } text } test:
                code.Add(new(test.Negated ? PredicateOperation.TextIsPresent : PredicateOperation.TextIsMissing, Column(text)));
                break;
            case NullTestNode test:
                Emit(test.Operand);
                code.Add(new(test.Negated ? PredicateOperation.IsPresent : PredicateOperation.IsMissing));
                break;
            case NumberSetNode set:
                Emit(set.Operand);
                code.Add(new(PredicateOperation.InNumbers, B: numberSets.Count));
                numberSets.Add(set.Values);
                break;
            case TextSetNode set:
                code.Add(new(PredicateOperation.InTexts, Column((NameNode)set.Operand), textSets.Count));
                textSets.Add(set.Values);
                break;
            default:
                throw new InvalidOperationException($"{node.GetType().Name} cannot be compiled");
        }
    }

    /// <summary>Left, jump over the right side when the left decides, right, and 1 or 0 of what is on top.</summary>
    private void EmitJoined(BinaryNode node)
    {
        Emit(node.Left);
        int jump = code.Count;
        code.Add(default);
        Emit(node.Right);
        code.Add(new(PredicateOperation.IsTrue));
        code[jump] = new(node.Operator == Kind.And ? PredicateOperation.ElseJump : PredicateOperation.ThenJump, code.Count);
    }

    private void EmitNumbers(BinaryNode node)
    {
        // a > b is b < a: the operands change places, each is still evaluated once.
        bool swapped = node.Operator is Kind.Greater or Kind.GreaterOrEqual;
        Emit(swapped ? node.Right : node.Left);
        Emit(swapped ? node.Left : node.Right);
        code.Add(new(node.Operator switch
        {
            Kind.Plus => PredicateOperation.Add,
            Kind.Minus => PredicateOperation.Subtract,
            Kind.Times => PredicateOperation.Multiply,
            Kind.Divide => PredicateOperation.Divide,
            Kind.Equal => PredicateOperation.Equal,
            Kind.NotEqual => PredicateOperation.NotEqual,
            Kind.Less or Kind.Greater => PredicateOperation.Less,
            Kind.LessOrEqual or Kind.GreaterOrEqual => PredicateOperation.LessOrEqual,
            _ => throw new InvalidOperationException($"{node.Operator} is no operator of numbers"),
        }));
    }

    private void EmitTexts(BinaryNode node)
    {
        var orders = node.Operator switch
        {
            Kind.Equal => TextOrders.Equal,
            Kind.NotEqual => TextOrders.Less | TextOrders.Greater,
            Kind.Less => TextOrders.Less,
            Kind.LessOrEqual => TextOrders.Less | TextOrders.Equal,
            Kind.Greater => TextOrders.Greater,
            Kind.GreaterOrEqual => TextOrders.Greater | TextOrders.Equal,
            _ => throw new InvalidOperationException($"{node.Operator} is no operator of texts"),
        };
        switch (node.Left, node.Right)
        {
            case (NameNode left, NameNode right):
                code.Add(new(PredicateOperation.TextColumnOrder, Column(left), Column(right), orders));
                break;
            case (NameNode left, TextNode right):
                code.Add(new(PredicateOperation.TextLiteralOrder, Column(left), Literal(right), orders));
                break;
            case (TextNode left, NameNode right):
                code.Add(new(PredicateOperation.TextLiteralOrder, Column(right), Literal(left), Mirrored(orders)));
                break;
            default:
                throw new InvalidOperationException("two texts that are no fields");
        }
    }

    private int Column(NameNode node)
    {
        names.Add(node.Name.Name);
        return node.Name.Index;
    }

    private int Literal(TextNode node)
    {
        literals.Add(node.Utf8);
        return literals.Count - 1;
    }

    private static TextOrders Mirrored(TextOrders orders) =>
        (orders & TextOrders.Equal)
        | ((orders & TextOrders.Less) != TextOrders.None ? TextOrders.Greater : TextOrders.None)
        | ((orders & TextOrders.Greater) != TextOrders.None ? TextOrders.Less : TextOrders.None);

    private static PredicateOperation Load(PredicateSource source) => source switch
    {
        PredicateSource.Number => PredicateOperation.LoadNumber,
        PredicateSource.Integer => PredicateOperation.LoadInteger,
        PredicateSource.Time => PredicateOperation.LoadTime,
        PredicateSource.Boolean => PredicateOperation.LoadBoolean,
        PredicateSource.Amount => PredicateOperation.LoadAmount,
        PredicateSource.Feature => PredicateOperation.LoadFeature,
        PredicateSource.Score => PredicateOperation.LoadScore,
        PredicateSource.Extra => PredicateOperation.LoadExtra,
        _ => throw new InvalidOperationException($"{source} is not loaded onto the stack"),
    };
}
