using Kind = Scoring.Models.Definitions.Predicates.PredicateTokenKind;

namespace Scoring.Models.Definitions.Predicates;

/// <summary>What may be compared with what.</summary>
internal static class PredicateTypes
{
    /// <summary>Checks <c>left sign right</c> and builds it.</summary>
    /// <remarks>
    /// A feature is a float, so a number that it is compared with is rounded to float too: <c>ratio == 0.1</c> means what it says.
    /// </remarks>
    public static PredicateNode Compare(PredicateToken sign, PredicateNode left, PredicateNode right, List<PredicateFault> faults)
    {
        if (left.Type == PredicateType.Unknown || right.Type == PredicateType.Unknown)
        {
            return new FaultyNode(left.Position);
        }

        if (left.Type == PredicateType.Null || right.Type == PredicateType.Null)
        {
            return CompareWithNull(sign, left, right, faults);
        }

        if (left.Type != right.Type)
        {
            return Fault(
                $"{Named(left)} is {Article(left.Type)} and {Named(right)} is {Article(right.Type)}: they cannot be compared",
                left.Type == PredicateType.Text ? "compare it with a text in quotes" : $"compare it with {Article(left.Type)}");
        }

        if (left.Type == PredicateType.Boolean && sign.Kind is not (Kind.Equal or Kind.NotEqual))
        {
            return Fault($"{sign.Text} has no meaning for true and false", "use ==, != or the condition itself");
        }

        if (IsConstant(left) && IsConstant(right))
        {
            return Fault("both sides are constants", "compare a field or a feature; a text in quotes is no field");
        }

        return new BinaryNode(PredicateType.Boolean, sign.Kind, AsSeenBy(right, left), AsSeenBy(left, right), left.Position);

        FaultyNode Fault(string problem, string fix)
        {
            faults.Add(new(sign.Position, problem, fix));
            return new FaultyNode(left.Position);
        }
    }

    /// <summary>Checks <c>operand in [members]</c> and builds it.</summary>
    public static PredicateNode Member(PredicateNode operand, IReadOnlyList<PredicateNode> members, List<PredicateFault> faults)
    {
        if (operand.Type == PredicateType.Unknown)
        {
            return operand;
        }

        if (operand.Type is not (PredicateType.Text or PredicateType.Number) || IsConstant(operand))
        {
            faults.Add(new(operand.Position, $"{Named(operand)} cannot be looked up in a list", "put a field or a feature with texts or numbers before in"));
            return new FaultyNode(operand.Position);
        }

        foreach (var member in members)
        {
            if (member.Type != operand.Type || !IsConstant(member))
            {
                faults.Add(new(
                    member.Position,
                    $"{Named(operand)} is {Article(operand.Type)}, but the list holds {Named(member)}",
                    operand.Type == PredicateType.Text ? "list texts in quotes" : "list numbers"));
                return new FaultyNode(operand.Position);
            }
        }

        return operand.Type == PredicateType.Text
            ? new TextSetNode(operand, [.. members.Select(member => ((TextNode)member).Utf8)], operand.Position)
            : new NumberSetNode(operand, [.. members.Select(member => ((ConstantNode)AsSeenBy(operand, member)).Value)], operand.Position);
    }

    /// <summary>A part as an analyst would call it.</summary>
    public static string Named(PredicateNode node) => node switch
    {
        NameNode name => name.Name.Name,
        ConstantNode { Type: PredicateType.Boolean } constant => constant.Value == 1 ? "true" : "false",
        ConstantNode constant => constant.Value.ToString(System.Globalization.CultureInfo.InvariantCulture),
        TextNode text => $"\"{System.Text.Encoding.UTF8.GetString(text.Utf8)}\"",
        NullNode => "null",
        { Type: PredicateType.Number } => "the sum or product",
        _ => "the condition",
    };

    private static PredicateNode CompareWithNull(PredicateToken sign, PredicateNode left, PredicateNode right, List<PredicateFault> faults)
    {
        var operand = left.Type == PredicateType.Null ? right : left;
        if (sign.Kind is not (Kind.Equal or Kind.NotEqual))
        {
            faults.Add(new(sign.Position, $"{sign.Text} has no meaning for null", "use == null or != null"));
            return new FaultyNode(left.Position);
        }

        if (operand is NameNode || operand is { Type: PredicateType.Number } and not ConstantNode)
        {
            return new NullTestNode(operand, sign.Kind == Kind.NotEqual, left.Position);
        }

        faults.Add(new(operand.Position, $"{Named(operand)} is never compared with null", "compare a field or a feature with null"));
        return new FaultyNode(left.Position);
    }

    private static PredicateNode AsSeenBy(PredicateNode other, PredicateNode node) =>
        node is ConstantNode { Type: PredicateType.Number } constant && other is NameNode { Name.Source: PredicateSource.Feature }
            ? constant with { Value = (float)constant.Value }
            : node;

    private static bool IsConstant(PredicateNode node) => node is ConstantNode or TextNode;

    private static string Article(PredicateType type) => type switch
    {
        PredicateType.Text => "a text",
        PredicateType.Number => "a number",
        PredicateType.Boolean => "true or false",
        _ => "null",
    };
}
