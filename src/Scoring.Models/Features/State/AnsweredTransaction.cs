using System.Runtime.CompilerServices;

namespace Scoring.Models.Features.State;

/// <summary>Layout of what a partition remembers to recognise a transaction that is sent again, and to answer it.</summary>
/// <remarks>
/// Three tables. By identifier: when and where the transaction stood, and the digest of its fields; a function of the input alone, as all state of features.
/// By offset: its answer, which depends on the model of the hour; it goes to the changelog with the commit that publishes it, since nobody could compute it again.
/// By number: who answered.
/// </remarks>
internal static class AnsweredTransaction
{
    public const int IdBytesMax = 64;
    public const int OffsetBytes = sizeof(long);
    public const int AnswerersMax = 256;

    /// <summary>Event time of the partition when it came, ms: the greatest among those remembered.</summary>
    public const int Time = 0;

    /// <summary>Where it stands in its partition.</summary>
    public const int Offset = 1;

    /// <summary>First of the two words of <see cref="TransactionDigest"/>.</summary>
    public const int Digest = 2;

    public const int PayloadWords = 4;

    public static readonly int AnswerWords = (Unsafe.SizeOf<KeptAnswer>() + 7) / 8;

    public static readonly int AnswererWords = (Answerer.Bytes + 7) / 8;
}
