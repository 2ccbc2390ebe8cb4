using System.IO.Hashing;
using System.Security.Cryptography;

namespace Scoring.Models.Events.Json;

/// <summary>Finds members that stand twice in one object, among those that no mapping names. Reused from event to event.</summary>
/// <remarks>Names are compared, not hashes; the hash is seeded, so that nobody can send names that all meet in one slot.</remarks>
internal sealed class NameTable
{
    private readonly long seed = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8));
    private Slot[] slots = new Slot[64];
    private byte[] other = new byte[256];
    private long serial;
    private int count;

    /// <summary>Forgets every name.</summary>
    public void Clear()
    {
        serial++;
        count = 0;
    }

    /// <summary>Adds a name.</summary>
    /// <param name="json">The whole event.</param>
    /// <param name="name">The name with its escapes resolved.</param>
    /// <param name="objectStart">Which object: the position of its brace.</param>
    /// <param name="start">Where the name stands in <paramref name="json"/>.</param>
    /// <param name="rawLength">Its bytes there.</param>
    /// <returns>False when the object has one of that name already.</returns>
    public bool TryAdd(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, int objectStart, int start, int rawLength)
    {
        if (++count * 2 > slots.Length)
        {
            Grow();
        }

        ulong hash = XxHash3.HashToUInt64(name, seed ^ objectStart);
        int at = (int)(hash & (ulong)(slots.Length - 1));
        for (; slots[at].Serial == serial; at = (at + 1) & (slots.Length - 1))
        {
            ref readonly var slot = ref slots[at];
            if (slot.Hash == hash && slot.ObjectStart == objectStart && Same(json.Slice(slot.Start, slot.RawLength), name))
            {
                return false;
            }
        }

        slots[at] = new Slot(serial, hash, objectStart, start, rawLength);
        return true;
    }

    private bool Same(ReadOnlySpan<byte> raw, ReadOnlySpan<byte> name)
    {
        if (!raw.Contains((byte)'\\'))
        {
            return raw.SequenceEqual(name);
        }

        if (other.Length < raw.Length)
        {
            other = new byte[raw.Length * 2];
        }

        return JsonEscapes.TryResolve(raw, other, out int length) && name.SequenceEqual(other.AsSpan(0, length));
    }

    private void Grow()
    {
        var old = slots;
        slots = new Slot[old.Length * 2];
        foreach (var slot in old)
        {
            if (slot.Serial == serial)
            {
                int at = (int)(slot.Hash & (ulong)(slots.Length - 1));
                while (slots[at].Serial == serial)
                {
                    at = (at + 1) & (slots.Length - 1);
                }

                slots[at] = slot;
            }
        }
    }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Slot(long Serial, ulong Hash, int ObjectStart, int Start, int RawLength);
}
