namespace Scoring.Models.Definitions.Predicates;

/// <summary>A part of a predicate whose types have been checked.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Position">Where it begins in the text.</param>
internal abstract record PredicateNode(PredicateType Type, int Position);

/// <summary>A number, or a boolean as 1 or 0.</summary>
internal sealed record ConstantNode(PredicateType Type, double Value, int Position) : PredicateNode(Type, Position);

/// <summary>A text between quotes.</summary>
internal sealed record TextNode(byte[] Utf8, int Position) : PredicateNode(PredicateType.Text, Position);

/// <summary>The word <c>null</c>.</summary>
internal sealed record NullNode(int Position) : PredicateNode(PredicateType.Null, Position);

/// <summary>A field, a feature or another value by name.</summary>
internal sealed record NameNode(PredicateName Name, int Position) : PredicateNode(Name.Type, Position);

/// <summary><c>!x</c> or <c>-x</c>.</summary>
internal sealed record UnaryNode(PredicateType Type, PredicateNode Operand, int Position) : PredicateNode(Type, Position);

/// <summary>Two operands and what stands between them.</summary>
internal sealed record BinaryNode(PredicateType Type, PredicateTokenKind Operator, PredicateNode Left, PredicateNode Right, int Position) : PredicateNode(Type, Position);

/// <summary><c>x == null</c> or, negated, <c>x != null</c>.</summary>
internal sealed record NullTestNode(PredicateNode Operand, bool Negated, int Position) : PredicateNode(PredicateType.Boolean, Position);

/// <summary><c>x in [1, 2]</c>.</summary>
internal sealed record NumberSetNode(PredicateNode Operand, double[] Values, int Position) : PredicateNode(PredicateType.Boolean, Position);

/// <summary><c>x in ["a", "b"]</c>.</summary>
internal sealed record TextSetNode(PredicateNode Operand, byte[][] Values, int Position) : PredicateNode(PredicateType.Boolean, Position);

/// <summary>A part with a fault that has been told.</summary>
internal sealed record FaultyNode(int Position) : PredicateNode(PredicateType.Unknown, Position);
