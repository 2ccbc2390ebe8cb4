using System.Runtime.InteropServices;
using Scoring.Models.Features.Plan;

namespace Scoring.Models.Features.State;

/// <summary>Layout of what a partition remembers of a recent transaction, so that a label that names only it finds the keys it speaks of.</summary>
/// <remarks>Words: time, label and whether the transaction itself was seen, time from which the label counts; then per labelled entity: flags of the event, key length, key.</remarks>
internal static class KnownTransaction
{
    public const int IdBytesMax = 64;
    public const int Time = 0;
    public const int Label = 1;
    public const int LabelTime = 2;

    public const long None = 0;
    public const long Honest = 1;
    public const long Fraud = 2;

    /// <summary>Set in <see cref="Label"/> when the transaction itself came, not only a label that names its facts.</summary>
    public const long Seen = 256;

    private const int HeaderWords = 3;

    public static int PayloadWords(FeaturePlan plan) => HeaderWords + plan.LabelledEntities.Sum(Words);

    /// <summary>Word of the part of a labelled entity.</summary>
    public static int PartOf(FeaturePlan plan, int labelledIndex)
    {
        int word = HeaderWords;
        for (int i = 0; i < labelledIndex; i++)
        {
            word += Words(plan.LabelledEntities[i]);
        }

        return word;
    }

    public static void SetPart(Span<long> payload, int part, long flags, ReadOnlySpan<byte> key)
    {
        payload[part] = flags;
        payload[part + 1] = key.Length;
        key.CopyTo(MemoryMarshal.AsBytes(payload[(part + 2)..]));
    }

    public static ReadOnlySpan<byte> Key(ReadOnlySpan<long> payload, int part) => MemoryMarshal.AsBytes(payload[(part + 2)..])[..(int)payload[part + 1]];

    private static int Words(EntityPlan entity) => 2 + ((entity.KeyBytesMax + 7) / 8);
}
