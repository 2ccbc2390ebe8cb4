using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Scoring.Models.Features.State;

namespace Scoring.Models.Features;

/// <content>The answers that transactions which are sent again get once more.</content>
public sealed partial class PartitionState
{
    private readonly List<long> forgotten = [];

    /// <summary>Whether answers are remembered.</summary>
    public bool RemembersAnswers => Answered is not null;

    internal RecordTable? Answered { get; }

    internal RecordTable? Answers { get; }

    internal RecordTable? Answerers { get; }

    /// <summary>Whether a transaction of this identifier is remembered: another with it may be a repeat or a conflict.</summary>
    /// <param name="transactionId">UTF-8.</param>
    public bool Remembers(ReadOnlySpan<byte> transactionId) => Answered!.Find(transactionId, RecordTable.Tag(transactionId)) >= 0;

    /// <summary>Whether the answer to the transaction at an offset is remembered.</summary>
    public bool HasAnswer(long offset) => AnswerAt(offset) >= 0;

    /// <summary>Remembers an answer, and who gave it.</summary>
    /// <param name="offset">Where its transaction stands.</param>
    /// <param name="answer">What to say again.</param>
    /// <param name="answerer">Of <see cref="KeptAnswer.AnswererNumber"/>.</param>
    public void KeepAnswer(long offset, in KeptAnswer answer, Answerer answerer)
    {
        Span<byte> key = stackalloc byte[AnsweredTransaction.OffsetBytes];
        BinaryPrimitives.WriteInt64BigEndian(key, offset);
        int index = AnswerAt(offset);
        index = index >= 0 ? index : Answers!.Add(key, RecordTable.Tag(key));
        MemoryMarshal.Write(MemoryMarshal.AsBytes(Answers!.Write(index)), in answer);

        BinaryPrimitives.WriteInt64BigEndian(key, answerer.Number);
        uint tag = RecordTable.Tag(key);
        var answerers = Answerers!;
        if (answerers.Find(key, tag) < 0)
        {
            if (answerers.Count >= answerers.RecordsMax)
            {
                answerers.Remove(answerers.Oldest);
            }

            answerer.Write(answerers.Write(answerers.Add(key, tag)));
        }
    }

    /// <summary>What a remembered transaction was answered.</summary>
    /// <param name="offset">Where it stands.</param>
    /// <param name="answer">What was answered.</param>
    /// <returns>False when it is not known.</returns>
    public bool TryAnswer(long offset, out KeptAnswer answer)
    {
        int at = AnswerAt(offset);
        answer = at >= 0 ? MemoryMarshal.Read<KeptAnswer>(MemoryMarshal.AsBytes(Answers!.Read(at))) : default;
        return at >= 0;
    }

    /// <summary>Takes away the answers of transactions that were forgotten while a batch was computed: to be called when it is answered.</summary>
    public void DropForgottenAnswers()
    {
        foreach (long offset in forgotten)
        {
            if (AnswerAt(offset) is >= 0 and var at)
            {
                Answers!.Remove(at);
            }
        }

        forgotten.Clear();
    }

    /// <summary>Who has a number; null when that is forgotten, with more than 256 others since.</summary>
    public Answerer? AnswererOf(long number)
    {
        Span<byte> key = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(key, number);
        return Answerers!.Find(key, RecordTable.Tag(key)) is >= 0 and var index ? Answerer.Read(Answerers.Read(index)) : null;
    }

    /// <summary>Writes the answers that the changelog does not have: they belong to the commit that publishes them.</summary>
    public void WriteAnswers(StateWriter write)
    {
        if (RemembersAnswers)
        {
            WriteChanges(Answers!, int.MaxValue, write);
            WriteChanges(Answerers!, int.MaxValue, write);
        }
    }

    internal void ForgetAnswer(long offset) => forgotten.Add(offset);

    private int AnswerAt(long offset)
    {
        Span<byte> key = stackalloc byte[AnsweredTransaction.OffsetBytes];
        BinaryPrimitives.WriteInt64BigEndian(key, offset);
        return Answers!.Find(key, RecordTable.Tag(key));
    }

    private static (RecordTable Answered, RecordTable Answers, RecordTable Answerers) AnswerTables(FeaturePlan plan, int ordinal, UndoLog undo)
    {
        int most = plan.Duplicates!.TransactionsMax;
        return (
            new RecordTable(ordinal, AnsweredTransaction.IdBytesMax, AnsweredTransaction.PayloadWords, most, undo),
            new RecordTable(ordinal + 1, AnsweredTransaction.OffsetBytes, AnsweredTransaction.AnswerWords, most, undo),
            new RecordTable(ordinal + 2, sizeof(long), AnsweredTransaction.AnswererWords, AnsweredTransaction.AnswerersMax, undo));
    }
}
