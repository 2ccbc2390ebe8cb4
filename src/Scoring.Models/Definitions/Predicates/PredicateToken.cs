namespace Scoring.Models.Definitions.Predicates;

/// <summary>Kinds of words that a predicate is made of.</summary>
internal enum PredicateTokenKind
{
    End,
    Name,
    Number,
    Text,
    True,
    False,
    Null,
    In,
    LeftParenthesis,
    RightParenthesis,
    LeftBracket,
    RightBracket,
    Comma,
    Or,
    And,
    Not,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divide,
}

/// <summary>One word of a predicate.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Position">Where it begins, in characters.</param>
/// <param name="Text">As written; of a text, what stands between the quotes with its escapes resolved.</param>
/// <param name="Number">Value of a number.</param>
internal readonly record struct PredicateToken(PredicateTokenKind Kind, int Position, string Text, double Number = 0);
