using Scoring.Models.Events.Values;

namespace Scoring.Models.Events.Json;

/// <summary>One pass over a JSON value: hands mapped members to a sink, skips the rest, and refuses what no mapping could excuse.</summary>
/// <remarks>
/// Refused: what is not JSON; deeper than <see cref="DepthMax"/>; a member twice in the top object or in one that a mapped path leads through;
/// half a surrogate pair; a text that looks like a card number, anywhere, unless its field is declared a token.
/// </remarks>
internal sealed class MemberWalk(MemberTrie trie)
{
    /// <summary>Most objects and lists inside each other.</summary>
    public const int DepthMax = 16;

    private readonly long[] seen = new long[trie.NodeCount];
    private readonly NameTable names = new();
    private byte[] resolved = new byte[256];
    private long serial;

    /// <summary>Members met that no mapping names, since the beginning; those inside skipped values are not counted.</summary>
    public long UnknownMembers { get; private set; }

    /// <summary>Whether the last event had the member of a node.</summary>
    public bool HasSeen(int node) => seen[node] == serial;

    /// <summary>Walks one value.</summary>
    /// <param name="json">The value, valid UTF-8.</param>
    /// <param name="start">Where it begins, behind framing.</param>
    /// <param name="sink">Takes the values.</param>
    public Refusal Run<TSink>(ReadOnlySpan<byte> json, int start, TSink sink)
        where TSink : struct, IMemberSink
    {
        serial++;
        names.Clear();
        var pass = new Pass<TSink>(this, json, start, sink);
        return pass.Run();
    }

    private ReadOnlySpan<byte> Resolve(ReadOnlySpan<byte> raw, out bool isGood)
    {
        if (resolved.Length < raw.Length)
        {
            resolved = new byte[raw.Length * 2];
        }

        isGood = JsonEscapes.TryResolve(raw, resolved, out int length);
        return resolved.AsSpan(0, length);
    }

    private ref struct Pass<TSink>(MemberWalk walk, ReadOnlySpan<byte> json, int start, TSink sink)
        where TSink : struct, IMemberSink
    {
        private readonly MemberWalk walk = walk;
        private readonly MemberTrie trie = walk.Trie;
        private readonly ReadOnlySpan<byte> json = json;
        private JsonScanner scanner = new(json, start);
        private readonly TSink sink = sink;
        private RefusalCode code;
        private string field = "";

        public Refusal Run()
        {
            byte first = scanner.Peek();
            bool isObject = first == '{';
            if (isObject ? Object(MemberTrie.Root, depth: 1) && AtEnd() : Skip(depth: 1) && AtEnd() && Refuse(RefusalCode.NotAnObject, ""))
            {
                return Refusal.None;
            }

            return new Refusal(code, field, scanner.Position);
        }

        private bool AtEnd()
        {
            scanner.Peek();
            return scanner.Position == json.Length || Malformed();
        }

        // A mapped object: every member is looked up, and none may stand twice.
        private bool Object(int node, int depth)
        {
            if (depth > DepthMax)
            {
                return Refuse(RefusalCode.TooDeep, "");
            }

            int objectStart = scanner.Position++;
            if (scanner.Peek() == '}')
            {
                scanner.Position++;
                return true;
            }

            while (true)
            {
                if (scanner.Peek() != '"')
                {
                    return Malformed();
                }

                int nameStart = scanner.Position + 1;
                if (!scanner.TryString(out var raw, out bool isEscaped))
                {
                    return Malformed();
                }

                var name = raw;
                if (isEscaped)
                {
                    name = walk.Resolve(raw, out bool isGood);
                    if (!isGood)
                    {
                        return Refuse(RefusalCode.InvalidUtf8, "");
                    }
                }

                int member = trie.Find(node, name);
                if (member >= 0)
                {
                    if (walk.seen[member] == walk.serial)
                    {
                        return Refuse(RefusalCode.DuplicateMember, trie.Display(member));
                    }

                    walk.seen[member] = walk.serial;
                }
                else
                {
                    walk.UnknownMembers++;
                    if (!walk.names.TryAdd(json, name, objectStart, nameStart, raw.Length))
                    {
                        return Refuse(RefusalCode.DuplicateMember, SafeName(name));
                    }
                }

                if (scanner.Peek() != ':')
                {
                    return Malformed();
                }

                scanner.Position++;
                if (!(member >= 0 ? Member(member, depth) : Skip(depth + 1)))
                {
                    return false;
                }

                byte next = scanner.Peek();
                scanner.Position++;
                if (next == ',')
                {
                    scanner.Peek();
                    continue;
                }

                if (next == '}')
                {
                    return true;
                }

                scanner.Position--;
                return Malformed();
            }
        }

        private bool Member(int node, int depth)
        {
            byte first = scanner.Peek();
            var targets = trie.Targets(node);
            if (targets.IsEmpty)
            {
                // A path leads through here: an object, or nothing at all.
                return first == '{' ? Object(node, depth + 1)
                    : first == 'n' ? Skip(depth + 1)
                    : Skip(depth + 1) && Refuse(RefusalCode.WrongType, trie.Display(node));
            }

            int valueStart = scanner.Position;
            ReadOnlySpan<byte> text = default;
            bool isInteger = false;
            JsonKind kind;
            switch (first)
            {
                case (byte)'"':
                    kind = JsonKind.String;
                    if (!String(out text, node))
                    {
                        return false;
                    }

                    break;
                case (byte)'{' or (byte)'[':
                    kind = first == '{' ? JsonKind.Object : JsonKind.Array;
                    if (!Skip(depth + 1))
                    {
                        return false;
                    }

                    break;
                case (byte)'t' or (byte)'f' or (byte)'n':
                    kind = first == 't' ? JsonKind.True : first == 'f' ? JsonKind.False : JsonKind.Null;
                    if (!Word(first))
                    {
                        return Malformed();
                    }

                    break;
                default:
                    kind = JsonKind.Number;
                    if (!scanner.TryNumber(out text, out isInteger))
                    {
                        return Malformed();
                    }

                    break;
            }

            var value = new JsonValue(kind, text, isInteger);
            foreach (int target in targets)
            {
                code = sink.Take(target, value);
                if (code != RefusalCode.None)
                {
                    scanner.Position = valueStart;
                    return Refuse(code, trie.Display(node));
                }
            }

            return true;
        }

        // A value that nobody asked for must still be JSON, and hold no card number.
        private bool Skip(int depth)
        {
            byte first = scanner.Peek();
            switch (first)
            {
                case (byte)'"':
                    return String(out _, node: -1);
                case (byte)'{' or (byte)'[':
                    return SkipInside(first, depth);
                case (byte)'t' or (byte)'f' or (byte)'n':
                    return Word(first) || Malformed();
                default:
                    return scanner.TryNumber(out _, out _) || Malformed();
            }
        }

        private bool SkipInside(byte open, int depth)
        {
            if (depth > DepthMax)
            {
                return Refuse(RefusalCode.TooDeep, "");
            }

            byte close = open == '{' ? (byte)'}' : (byte)']';
            scanner.Position++;
            if (scanner.Peek() == close)
            {
                scanner.Position++;
                return true;
            }

            while (true)
            {
                if (open == '{')
                {
                    if (scanner.Peek() != '"' || !scanner.TryString(out _, out _) || scanner.Peek() != ':')
                    {
                        return Malformed();
                    }

                    scanner.Position++;
                }

                if (!Skip(depth + 1))
                {
                    return false;
                }

                byte next = scanner.Peek();
                if (next != ',' && next != close)
                {
                    return Malformed();
                }

                scanner.Position++;
                if (next == close)
                {
                    return true;
                }
            }
        }

        private bool String(out ReadOnlySpan<byte> text, int node)
        {
            int valueStart = scanner.Position;
            if (!scanner.TryString(out text, out bool isEscaped))
            {
                return Malformed();
            }

            if (isEscaped)
            {
                text = walk.Resolve(text, out bool isGood);
                if (!isGood)
                {
                    scanner.Position = valueStart;
                    return Refuse(RefusalCode.InvalidUtf8, node < 0 ? "" : trie.Display(node));
                }
            }

            if (CardNumbers.IsSuspected(text) && (node < 0 || !trie.IsToken(node)))
            {
                scanner.Position = valueStart;
                return Refuse(RefusalCode.PanSuspected, node < 0 ? "" : trie.Display(node));
            }

            return true;
        }

        private bool Word(byte first) =>
            first == 't' ? scanner.TryWord("true"u8) : first == 'f' ? scanner.TryWord("false"u8) : scanner.TryWord("null"u8);

        private bool Malformed() => Refuse(RefusalCode.MalformedJson, "");

        private bool Refuse(RefusalCode refusal, string where)
        {
            (code, field) = (refusal, where);
            return false;
        }

        // A name goes into a header of the dead letter: never a card number, never long.
        private static string SafeName(ReadOnlySpan<byte> name)
        {
            var copy = name.ToArray();
            CardNumbers.Mask(copy);
            string text = System.Text.Encoding.UTF8.GetString(copy);
            return text.Length <= 64 ? text : text[..64];
        }
    }

    private MemberTrie Trie => trie;
}
