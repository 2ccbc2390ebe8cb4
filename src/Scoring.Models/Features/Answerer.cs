using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Scoring.Models.Decisions;
using Scoring.Models.Events;

namespace Scoring.Models.Features;

/// <summary>Who gave an answer: model, thresholds and definition. Remembered once for all its answers, so that a repeat is answered in its name even after another has taken over.</summary>
public sealed class Answerer
{
    /// <summary>Bytes of <see cref="Write"/>.</summary>
    internal static readonly int Bytes = Unsafe.SizeOf<Record>();

    /// <summary>Names an answerer.</summary>
    /// <param name="model">The model; null when none scores. Name and version of at most 64 characters.</param>
    /// <param name="thresholds">What is applied; null when nothing gives any.</param>
    /// <param name="definitionVersion">Version of the definition.</param>
    /// <param name="definitionSha256">Its digest, lower-case hex; empty for one that was not read from a file.</param>
    public Answerer(ScoreModel? model, Thresholds? thresholds, int definitionVersion, string definitionSha256)
    {
        Model = model;
        Thresholds = thresholds;
        DefinitionVersion = definitionVersion;
        DefinitionSha256 = definitionSha256;
        string text = FormattableString.Invariant($"{model?.Name}\n{model?.Version}\n{model?.Sha256}\n{thresholds?.Review:R}\n{thresholds?.Decline:R}\n{definitionVersion}\n{definitionSha256}");
        Number = BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) | 1; // 0 is none.
    }

    /// <summary>Its number: the same wherever it answers, another for every other.</summary>
    public long Number { get; }

    /// <summary>The model; null when none scored.</summary>
    public ScoreModel? Model { get; }

    /// <summary>The thresholds that were applied.</summary>
    public Thresholds? Thresholds { get; }

    /// <summary>Version of the definition.</summary>
    public int DefinitionVersion { get; }

    /// <summary>Digest of the definition.</summary>
    public string DefinitionSha256 { get; }

    internal void Write(Span<long> words)
    {
        var record = default(Record);
        record.HasModel = Model is null ? 0 : 1;
        record.HasThresholds = Thresholds is null ? 0 : 1;
        (record.Review, record.Decline) = (Thresholds?.Review ?? 0, Thresholds?.Decline ?? 0);
        record.DefinitionVersion = DefinitionVersion;
        Put(DefinitionSha256, record.DefinitionSha256);
        Put(Model?.Name, record.Name);
        Put(Model?.Version, record.Version);
        Put(Model?.Sha256, record.ModelSha256);
        MemoryMarshal.Write(MemoryMarshal.AsBytes(words), in record);
    }

    internal static Answerer Read(ReadOnlySpan<long> words)
    {
        var record = MemoryMarshal.Read<Record>(MemoryMarshal.AsBytes(words));
        return new Answerer(
            record.HasModel == 0 ? null : new ScoreModel(Text(record.Name), Text(record.Version), Text(record.ModelSha256)),
            record.HasThresholds == 0 ? null : new Thresholds(record.Review, record.Decline),
            record.DefinitionVersion,
            Text(record.DefinitionSha256));
    }

    private static void Put(string? text, Span<char> room) => text.AsSpan()[..Math.Min(text?.Length ?? 0, room.Length)].CopyTo(room);

    private static string Text(ReadOnlySpan<char> room) => room.TrimEnd('\0').ToString();

    /// <summary>As it stands in a partition's state. Texts end at their first zero.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Record
    {
        public double Review;
        public double Decline;
        public int HasModel;
        public int HasThresholds;
        public long DefinitionVersionWide;
        public Characters DefinitionSha256;
        public Characters Name;
        public Characters Version;
        public Characters ModelSha256;

        public int DefinitionVersion
        {
            readonly get => (int)DefinitionVersionWide;
            set => DefinitionVersionWide = value;
        }
    }

    [InlineArray(64)]
    private struct Characters
    {
        private char first;
    }
}
