using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Scoring.Models.Events.Json;

/// <summary>The mapped paths as a tree of member names, each level an open-addressed table: one pass over an event finds every field.</summary>
internal sealed class MemberTrie
{
    public const int Root = 0;

    private readonly Node[] nodes;

    /// <summary>Compiles paths. A path may be given twice, for two targets; none may lead through another's end.</summary>
    /// <param name="members">Names from the top, how the path is called in refusals, its target, and whether its text may look like a card number.</param>
    public MemberTrie(IEnumerable<(IReadOnlyList<string> Names, string Display, int Target, bool IsToken)> members)
    {
        var building = new List<Building> { new("", "") };
        foreach (var (names, display, target, isToken) in members)
        {
            int at = Root;
            foreach (string name in names)
            {
                if (!building[at].Children.TryGetValue(name, out int child))
                {
                    child = building.Count;
                    string parent = building[at].Display;
                    building.Add(new Building(name, parent.Length == 0 ? name : $"{parent}.{name}"));
                    building[at].Children.Add(name, child);
                }

                at = child;
            }

            building[at].Display = display;
            building[at].IsToken |= isToken;
            building[at].Targets.Add(target);
        }

        nodes = [.. building.Select(node => node.Freeze(building))];
    }

    public int NodeCount => nodes.Length;

    /// <summary>The child of a node by the name of a member, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int node, ReadOnlySpan<byte> name)
    {
        var slots = nodes[node].Slots;
        if (slots.Length == 0)
        {
            return -1;
        }

        for (uint at = Hash(name) & (uint)(slots.Length - 1); slots[at].Node >= 0; at = (at + 1) & (uint)(slots.Length - 1))
        {
            if (name.SequenceEqual(slots[at].Name))
            {
                return slots[at].Node;
            }
        }

        return -1;
    }

    public ReadOnlySpan<int> Targets(int node) => nodes[node].Targets;

    public bool IsToken(int node) => nodes[node].IsToken;

    /// <summary>How refusals call the node.</summary>
    public string Display(int node) => nodes[node].Display;

    // Names differ in their ends and lengths: no need to read a long one whole.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(ReadOnlySpan<byte> name)
    {
        ulong first;
        ulong last;
        ref byte start = ref MemoryMarshal.GetReference(name);
        if (name.Length >= 8)
        {
            first = Unsafe.ReadUnaligned<ulong>(ref start);
            last = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, name.Length - 8));
        }
        else if (name.Length >= 4)
        {
            first = Unsafe.ReadUnaligned<uint>(ref start);
            last = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, name.Length - 4));
        }
        else
        {
            first = name.Length == 0 ? 0u : name[0];
            last = name.Length == 0 ? 0u : (uint)(name[^1] | (name[name.Length / 2] << 8));
        }

        ulong mixed = (first ^ (last << 7) ^ (last >> 57) ^ ((ulong)name.Length << 3)) * 0x9E37_79B9_7F4A_7C15;
        return (uint)(mixed >> 40);
    }

    private readonly record struct Slot(byte[] Name, int Node);

    private sealed record Node(Slot[] Slots, int[] Targets, bool IsToken, string Display);

    private sealed class Building(string name, string display)
    {
        public Dictionary<string, int> Children { get; } = new(StringComparer.Ordinal);

        public List<int> Targets { get; } = [];

        public string Display { get; set; } = display;

        public bool IsToken { get; set; }

        public Node Freeze(List<Building> all)
        {
            var slots = new Slot[Children.Count == 0 ? 0 : (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Children.Count * 4)];
            Array.Fill(slots, new Slot([], -1));
            foreach (int child in Children.Values)
            {
                var bytes = Encoding.UTF8.GetBytes(all[child].Name);
                uint at = Hash(bytes) & (uint)(slots.Length - 1);
                while (slots[at].Node >= 0)
                {
                    at = (at + 1) & (uint)(slots.Length - 1);
                }

                slots[at] = new Slot(bytes, child);
            }

            return new Node(slots, [.. Targets], IsToken, Display);
        }

        private string Name => name;
    }
}
