using System.Runtime.InteropServices;

namespace Scoring.Models.Definitions.Predicates;

/// <summary>Steps of a compiled predicate. A stack of doubles; true is 1, false 0, missing NaN.</summary>
internal enum PredicateOperation
{
    /// <summary>Pushes <see cref="PredicateInstruction.Number"/>.</summary>
    Constant,

    /// <summary>Pushes a value of the row; <see cref="PredicateInstruction.A"/> says which column, feature or extra.</summary>
    LoadNumber,
    LoadInteger,
    LoadTime,
    LoadBoolean,
    LoadAmount,
    LoadFeature,
    LoadScore,
    LoadExtra,

    /// <summary>Replaces the top, or the two on top, by the result; missing when an operand is, or when it is no finite number.</summary>
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,

    /// <summary>Replaces the two on top by 1 or 0; 0 when one is missing.</summary>
    Equal,
    NotEqual,
    Less,
    LessOrEqual,

    /// <summary>Replaces the top by 1 or 0.</summary>
    IsMissing,
    IsPresent,
    Not,
    IsTrue,
    InNumbers,

    /// <summary>Pushes 1 or 0 from text column A against text B (a literal) or text column B; 0 when one is missing.</summary>
    TextLiteralOrder,
    TextColumnOrder,

    /// <summary>Pushes 1 or 0 from text column A.</summary>
    TextIsMissing,
    TextIsPresent,
    InTexts,

    /// <summary>The left side of <c>&amp;&amp;</c>: true is popped, anything else becomes 0 and jumps to A.</summary>
    ElseJump,

    /// <summary>The left side of <c>||</c>: true jumps to A, anything else is popped.</summary>
    ThenJump,
}

/// <summary>Which orders of two texts count as true; flags for <c>&lt;</c>, <c>==</c>, <c>&gt;</c>.</summary>
[Flags]
internal enum TextOrders
{
    None = 0,
    Less = 1,
    Equal = 2,
    Greater = 4,
}

/// <summary>One step.</summary>
/// <param name="Operation">What to do.</param>
/// <param name="A">Column, index or jump target.</param>
/// <param name="B">Second column, literal or set.</param>
/// <param name="Orders">For the comparison of texts.</param>
/// <param name="Number">The constant.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PredicateInstruction(
    PredicateOperation Operation, int A = 0, int B = 0, TextOrders Orders = TextOrders.None, double Number = 0);
