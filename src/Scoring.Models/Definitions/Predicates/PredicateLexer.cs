using System.Globalization;
using System.Text;

namespace Scoring.Models.Definitions.Predicates;

/// <summary>Cuts the text of a predicate into words.</summary>
internal sealed class PredicateLexer(string text, PredicateScope scope)
{
    private readonly List<PredicateToken> tokens = [];
    private int at;

    /// <summary>Reads all words; the last is <see cref="PredicateTokenKind.End"/>.</summary>
    /// <returns>The first fault, or null.</returns>
    public PredicateFault? Read(out IReadOnlyList<PredicateToken> read)
    {
        read = tokens;
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }

            if (at == text.Length)
            {
                tokens.Add(new(PredicateTokenKind.End, at, ""));
                return null;
            }

            char first = text[at];
            var fault = first switch
            {
                '"' or '\'' => ReadText(first),
                _ when char.IsAsciiLetterOrDigit(first) || first == '_' => ReadWord(),
                _ => ReadSign(),
            };
            if (fault is not null)
            {
                return fault;
            }
        }
    }

    private PredicateFault? ReadSign()
    {
        string two = at + 1 < text.Length ? text.Substring(at, 2) : "";
        var kind = two switch
        {
            "||" => PredicateTokenKind.Or,
            "&&" => PredicateTokenKind.And,
            "==" => PredicateTokenKind.Equal,
            "!=" => PredicateTokenKind.NotEqual,
            "<=" => PredicateTokenKind.LessOrEqual,
            ">=" => PredicateTokenKind.GreaterOrEqual,
            _ => PredicateTokenKind.End,
        };
        if (kind != PredicateTokenKind.End)
        {
            tokens.Add(new(kind, at, two));
            at += 2;
            return null;
        }

        char sign = text[at];
        kind = sign switch
        {
            '(' => PredicateTokenKind.LeftParenthesis,
            ')' => PredicateTokenKind.RightParenthesis,
            '[' => PredicateTokenKind.LeftBracket,
            ']' => PredicateTokenKind.RightBracket,
            ',' => PredicateTokenKind.Comma,
            '!' => PredicateTokenKind.Not,
            '<' => PredicateTokenKind.Less,
            '>' => PredicateTokenKind.Greater,
            '+' => PredicateTokenKind.Plus,
            '-' => PredicateTokenKind.Minus,
            '*' => PredicateTokenKind.Times,
            '/' => PredicateTokenKind.Divide,
            _ => PredicateTokenKind.End,
        };
        if (kind == PredicateTokenKind.End)
        {
            return sign switch
            {
                '=' => new(at, "= is no operator", "compare with =="),
                '&' => new(at, "& is no operator", "join conditions with &&"),
                '|' => new(at, "| is no operator", "join conditions with ||"),
                _ => new(at, $"the character {Shown(sign)} has no meaning here", "put texts into quotes; operators are || && ! == != < <= > >= + - * / in"),
            };
        }

        tokens.Add(new(kind, at, sign.ToString()));
        at++;
        return null;
    }

    private PredicateFault? ReadWord()
    {
        int start = at;
        SkipWord();
        string word = text[start..at];
        if (scope.Find(word) is not null && !word.All(char.IsAsciiDigit))
        {
            tokens.Add(new(PredicateTokenKind.Name, start, word));
            return null;
        }

        if (!char.IsAsciiDigit(word[0]))
        {
            tokens.Add(new(
                word switch
                {
                    "true" => PredicateTokenKind.True,
                    "false" => PredicateTokenKind.False,
                    "null" => PredicateTokenKind.Null,
                    "in" => PredicateTokenKind.In,
                    _ => PredicateTokenKind.Name,
                },
                start,
                word));
            return null;
        }

        return ReadNumber(start);
    }

    private PredicateFault? ReadNumber(int start)
    {
        if (at < text.Length && text[at] == '.')
        {
            at++;
            SkipWord();
        }

        if (at < text.Length && text[at] is '+' or '-' && text[at - 1] is 'e' or 'E')
        {
            at++;
            SkipWord();
        }

        string number = text[start..at];
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value)
            || number.EndsWith('.'))
        {
            return new(start, $"{number} is neither a number nor a known name", "write numbers as 50000, 0.25 or 1e6");
        }

        if (!double.IsFinite(value))
        {
            return new(start, $"{number} is too large for a number", "use a number below 1.8e308");
        }

        tokens.Add(new(PredicateTokenKind.Number, start, number, value));
        return null;
    }

    private PredicateFault? ReadText(char quote)
    {
        int start = at++;
        var value = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            char next = text[at++];
            if (next == '\\')
            {
                if (at == text.Length)
                {
                    break;
                }

                next = text[at++];
                if (next is not ('"' or '\'' or '\\'))
                {
                    return new(at - 2, $"\\{next} is no escape", "in a text write \\\\ for a backslash and \\\" for a quote");
                }
            }

            value.Append(next);
        }

        if (at == text.Length)
        {
            return new(start, "the text has no end", $"close it with {quote}");
        }

        at++;
        if (value.Length == 0)
        {
            return new(start, "a value is never an empty text", "write null for a field that is missing");
        }

        string result = value.ToString();
        if (HasLoneSurrogate(result))
        {
            return new(start, "the text holds half of a surrogate pair, which no UTF-8 event can hold", "write the whole character");
        }

        tokens.Add(new(PredicateTokenKind.Text, start, result));
        return null;
    }

    private void SkipWord()
    {
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '_'))
        {
            at++;
        }
    }

    private static bool HasLoneSurrogate(string value)
    {
        for (int i = 0; i < value.Length; i++)
        {
            if (i + 1 < value.Length && char.IsSurrogatePair(value[i], value[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(value[i]))
            {
                return true;
            }
        }

        return false;
    }

    private static string Shown(char sign) => char.IsControl(sign) || char.IsSurrogate(sign) ? $"U+{(int)sign:X4}" : sign.ToString();
}
