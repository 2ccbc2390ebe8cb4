using System.Text;
using CsCheck;
using Scoring.Models.Ensembles;
using Scoring.Models.Ensembles.Onnx;
using Scoring.Models.Packaging;

namespace Scoring.Models.Tests.Packaging;

public sealed class PackageVerifierTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly PackageWorkshop workshop = new();

    public void Dispose() => workshop.Dispose();

    [Fact]
    public void A_sound_package_is_taken_and_ready_to_score()
    {
        var reading = PackageVerifier.Verify(workshop.Sound(), workshop.Policy);

        Assert.Null(reading.Refusal);
        Assert.Equal("shop-trees", reading.Package!.Manifest.Name);
        Assert.Equal(reading.Package.Sha256, reading.Ensemble!.Sha256);
        Assert.Equal(64, reading.Package.Sha256.Length);
    }

    [Fact]
    public void The_same_inputs_give_the_same_digest_and_another_signature()
    {
        var first = workshop.Sound();
        var second = workshop.Sound();

        Assert.Equal(Digest(first), Digest(second));
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void Any_of_several_keys_is_accepted_and_read_back_from_PEM()
    {
        using var old = PackageKey.Create();
        var keys = PackageKey.ReadPublic(old.WritePublic() + workshop.Key.WritePublic());

        var reading = PackageVerifier.Verify(workshop.Sound(), workshop.Policy with { AcceptedKeys = keys });

        Assert.Null(reading.Refusal);
        Assert.Equal([old.Id, workshop.Key.Id], keys.Select(key => key.Id));
    }

    [Fact]
    public void A_private_key_survives_its_PEM()
    {
        using var again = PackageKey.ReadPrivate(workshop.Key.WritePrivate());

        var file = PackageWriter.Write(PackageWorkshop.Manifest(), PackageWorkshop.Files(), again);

        Assert.Null(PackageVerifier.Verify(file, workshop.Policy).Refusal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a key")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    public void What_is_no_key_is_said_to_be_none(string pem)
    {
        Assert.Throws<System.Security.Cryptography.CryptographicException>(() => PackageKey.ReadPrivate(pem));
        Assert.Throws<System.Security.Cryptography.CryptographicException>(() => PackageKey.ReadPublic(pem));
    }

    [Fact]
    public void A_public_key_does_not_pass_for_a_private_one() =>
        Assert.Throws<System.Security.Cryptography.CryptographicException>(() => PackageKey.ReadPrivate(workshop.Key.WritePublic()));

    [Fact]
    public void A_key_of_another_curve_is_refused()
    {
        using var other = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);

        Assert.Throws<System.Security.Cryptography.CryptographicException>(() => PackageKey.ReadPrivate(other.ExportPkcs8PrivateKeyPem()));
    }

    [Fact]
    public void Any_changed_byte_is_refused() =>
        Gen.Int[0, workshop.Sound().Length - 140].Sample(
            index =>
            {
                var file = workshop.Sound();
                file[index % file.Length] ^= 1;
                Assert.NotNull(PackageVerifier.Verify(file, workshop.Policy).Refusal);
            },
            iter: 200);

    [Fact]
    public void Any_cut_is_refused() =>
        Gen.Double[0, 1].Sample(
            share =>
            {
                var file = workshop.Sound();
                Assert.NotNull(PackageVerifier.Verify(file.AsMemory(0, (int)(share * (file.Length - 1))), workshop.Policy).Refusal);
            },
            iter: 200);

    [Fact]
    public void Too_large_a_file_is_not_even_looked_at() =>
        Refuses(PackageRefusalCode.TooLarge, new byte[2_000], workshop.Policy with { Limits = new() { FileBytesMax = 1_999 } });

    [Fact]
    public void Something_else_is_no_package() =>
        Refuses(PackageRefusalCode.NotAPackage, "PK\x03\x04 a plain zip, say"u8.ToArray());

    [Fact]
    public void A_later_container_format_is_named()
    {
        var file = workshop.Sound();
        file[7] = 2;
        Refuses(PackageRefusalCode.UnknownFormat, file);
    }

    [Fact]
    public void A_strangers_signature_is_refused()
    {
        using var stranger = new PackageWorkshop();
        Refuses(PackageRefusalCode.SignatureInvalid, stranger.Sound());
    }

    [Fact]
    public void A_signed_content_that_is_no_zip_is_refused() =>
        Refuses(PackageRefusalCode.ZipMalformed, workshop.Sign(Encoding.UTF8.GetBytes("not a zip at all, but signed")));

    [Fact]
    public void Too_many_entries_are_refused() =>
        Refuses(PackageRefusalCode.TooManyEntries, workshop.SignZip(zip =>
        {
            for (int i = 0; i < 33; i++)
            {
                PackageWorkshop.Add(zip, "report.json", []);
            }
        }));

    [Theory]
    [InlineData("extra.txt")]
    [InlineData("../manifest.json")]
    [InlineData("/manifest.json")]
    [InlineData("models/trees.onnx")]
    [InlineData("manifest.json/")]
    [InlineData("MANIFEST.JSON")]
    public void A_name_that_is_not_on_the_list_is_refused(string name) =>
        Refuses(PackageRefusalCode.UnknownEntry, workshop.SignZip(zip => PackageWorkshop.Add(zip, name, [])));

    [Fact]
    public void A_link_is_refused() =>
        Refuses(PackageRefusalCode.UnknownEntry, workshop.SignZip(zip =>
        {
            var entry = zip.CreateEntry(PackageFiles.Manifest);
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
            using var stream = entry.Open();
            stream.Write("/etc/passwd"u8);
        }));

    [Fact]
    public void One_name_twice_is_refused() =>
        Refuses(PackageRefusalCode.DuplicateEntry, workshop.SignZip(zip =>
        {
            PackageWorkshop.Add(zip, PackageFiles.Report, [1]);
            PackageWorkshop.Add(zip, PackageFiles.Report, [2]);
        }));

    [Fact]
    public void Too_much_content_is_refused() =>
        Refuses(
            PackageRefusalCode.ContentTooLarge,
            workshop.SignZip(zip => PackageWorkshop.Add(zip, PackageFiles.Report, new byte[5_000])),
            workshop.Policy with { Limits = new() { ContentBytesMax = 4_999 } });

    [Fact]
    public void A_bomb_is_refused_before_it_goes_off() =>
        Refuses(PackageRefusalCode.RatioTooHigh, workshop.SignZip(zip => PackageWorkshop.Add(zip, PackageFiles.Report, new byte[50 << 20])));

    [Fact]
    public void A_package_without_manifest_is_refused() =>
        Refuses(PackageRefusalCode.FileMissing, workshop.SignZip(zip => PackageWorkshop.Add(zip, PackageFiles.Report, [])));

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"format\":1,\"surprise\":true}")]
    public void A_manifest_that_cannot_be_read_is_refused(string json) =>
        Refuses(PackageRefusalCode.ManifestInvalid, workshop.SignZip(zip => PackageWorkshop.Add(zip, PackageFiles.Manifest, Encoding.UTF8.GetBytes(json))));

    [Fact]
    public void A_later_manifest_format_is_named()
    {
        var later = PackageJson.Write(PackageWorkshop.Manifest() with { Format = 2 });
        Refuses(PackageRefusalCode.UnknownFormat, workshop.SignZip(zip => PackageWorkshop.Add(zip, PackageFiles.Manifest, later)));
    }

    public static TheoryData<string> Contradictions => new(ContradictoryManifests().Keys);

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void A_manifest_that_contradicts_itself_is_refused(string name) =>
        Refuses(PackageRefusalCode.ManifestInvalid, PackageWriter.Write(ContradictoryManifests()[name], PackageWorkshop.Files(), workshop.Key));

    [Fact]
    public void A_file_that_is_not_the_one_that_was_packed_is_refused()
    {
        var files = PackageWorkshop.Files();
        var honest = PackageWriter.Write(PackageWorkshop.Manifest(), files, workshop.Key);
        var manifest = PackageVerifier.Verify(honest, workshop.Policy).Package!.File(PackageFiles.Manifest).ToArray();
        Refuses(PackageRefusalCode.DigestMismatch, workshop.SignZip(zip =>
        {
            PackageWorkshop.Add(zip, PackageFiles.Manifest, manifest);
            PackageWorkshop.Add(zip, PackageFiles.Trees, files[PackageFiles.Trees]);
            PackageWorkshop.Add(zip, PackageFiles.Smoke, files[PackageFiles.Smoke]);
            PackageWorkshop.Add(zip, PackageFiles.Report, "{ }"u8.ToArray());
        }));
    }

    [Theory]
    [InlineData(PackageFiles.Trees)]
    [InlineData(PackageFiles.Smoke)]
    public void A_file_that_is_missing_is_named(string name)
    {
        var files = PackageWorkshop.Files();
        files.Remove(name);
        var refusal = Refuses(PackageRefusalCode.FileMissing, PackageWriter.Write(PackageWorkshop.Manifest(), files, workshop.Key));
        Assert.Contains(name, refusal.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_of_another_signer_is_refused()
    {
        using var other = PackageKey.Create();
        var theirs = PackageWriter.Write(PackageWorkshop.Manifest(), PackageWorkshop.Files(), other);
        Assert.Null(PackageContainer.TrySplit(theirs, out _, out var zip));
        Refuses(PackageRefusalCode.KeyMismatch, workshop.Sign(zip.ToArray()));
    }

    [Fact]
    public void A_package_for_another_service_is_refused() =>
        Refuses(PackageRefusalCode.OtherService, workshop.Sound(), workshop.Policy with { Service = "bank" });

    [Fact]
    public void An_older_package_is_not_played_again()
    {
        Refuses(PackageRefusalCode.SequenceTooOld, workshop.Sound(), workshop.Policy with { SequenceMin = 8 });
        Assert.Null(PackageVerifier.Verify(workshop.Sound(), workshop.Policy with { SequenceMin = 7 }).Refusal);
    }

    [Fact]
    public void A_package_is_used_between_its_times()
    {
        var file = PackageWriter.Write(PackageWorkshop.Manifest() with { NotBefore = Noon, Expires = Noon.AddDays(1) }, PackageWorkshop.Files(), workshop.Key);

        Refuses(PackageRefusalCode.NotYetValid, file, workshop.Policy with { Now = Noon.AddSeconds(-1) });
        Assert.Null(PackageVerifier.Verify(file, workshop.Policy with { Now = Noon }).Refusal);
        Refuses(PackageRefusalCode.Expired, file, workshop.Policy with { Now = Noon.AddDays(1) });
    }

    [Fact]
    public void A_model_of_other_features_is_refused() =>
        Refuses(PackageRefusalCode.PlanMismatch, workshop.Sound(), workshop.Policy with { PlanDigest = "plan-2" });

    [Fact]
    public void A_model_file_that_is_no_ONNX_is_refused() => RefusesTrees("not onnx"u8.ToArray());

    [Fact]
    public void A_model_of_another_width_is_refused()
    {
        var builder = new TreeNodesBuilder(featureCount: 3);
        builder.BeginTree();
        builder.AddLeaf(1);
        RefusesTrees(OnnxWriter.Write(OnnxTrees.Write(builder.Build())));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"reference\":\"x\",\"rows\":[],\"probabilities\":[]}")]
    [InlineData("{\"reference\":\"x\",\"rows\":[[1]],\"probabilities\":[0.5]}")]
    [InlineData("{\"reference\":\"x\",\"rows\":[[1,2]],\"probabilities\":[0.5,0.5]}")]
    public void Smoke_vectors_that_cannot_be_used_are_refused(string json)
    {
        var files = PackageWorkshop.Files();
        files[PackageFiles.Smoke] = Encoding.UTF8.GetBytes(json);
        Refuses(PackageRefusalCode.SmokeInvalid, PackageWriter.Write(PackageWorkshop.Manifest(), files, workshop.Key));
    }

    [Theory]
    [InlineData(2e-6)]
    [InlineData(double.NaN)]
    public void A_model_that_scores_otherwise_than_it_did_is_refused(double off)
    {
        var smoke = PackageWorkshop.Smoke();
        var files = PackageWorkshop.Files();
        files[PackageFiles.Smoke] = PackageJson.Write(smoke with { Probabilities = [.. smoke.Probabilities.Take(3), smoke.Probabilities[3] + off] });
        Refuses(PackageRefusalCode.SmokeMismatch, PackageWriter.Write(PackageWorkshop.Manifest(), files, workshop.Key));
    }

    private static Dictionary<string, PackageManifest> ContradictoryManifests()
    {
        var good = PackageWorkshop.Manifest();
        return new(StringComparer.Ordinal)
        {
            ["no name"] = good with { Name = "" },
            ["a name of 65 letters"] = good with { Name = new('n', 65) },
            ["no features"] = good with { Features = [] },
            ["one feature twice"] = good with { Features = ["amount", "amount"] },
            ["no component"] = good with { Trees = null },
            ["a blend of one"] = good with { Blend = new(0, 1, 1) },
            ["review above decline"] = good with { Thresholds = new(0.9, 0.2, "") },
            ["decline above one"] = good with { Thresholds = new(0.9, 1.1, "") },
            ["a threshold that is no number"] = good with { Thresholds = new(double.NaN, 1, "") },
            ["a calibration of no kind"] = good with { Trees = new() { Calibration = new() { Kind = "guess" } } },
            ["a falling calibration"] = good with { Trees = new() { Calibration = new() { Kind = "platt", Slope = -1, Intercept = 0 } } },
            ["a calibration without slope"] = good with { Trees = new() { Calibration = new() { Kind = "platt", Intercept = 0 } } },
            ["isotonic knots out of order"] = good with { Trees = new() { Calibration = new() { Kind = "isotonic", KnotScores = [1, 0], KnotProbabilities = [0.1, 0.2] } } },
        };
    }

    private static string Digest(byte[] file)
    {
        Assert.Null(PackageContainer.TrySplit(file, out _, out var zip));
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(zip.Span));
    }

    private void RefusesTrees(byte[] onnx)
    {
        var files = PackageWorkshop.Files();
        files[PackageFiles.Trees] = onnx;
        var refusal = Refuses(PackageRefusalCode.ModelRefused, PackageWriter.Write(PackageWorkshop.Manifest(), files, workshop.Key));
        Assert.Contains(PackageFiles.Trees, refusal.Sentence, StringComparison.Ordinal);
    }

    private PackageRefusal Refuses(PackageRefusalCode code, byte[] file, VerificationPolicy? policy = null)
    {
        var reading = PackageVerifier.Verify(file, policy ?? workshop.Policy);
        Assert.Null(reading.Package);
        Assert.Null(reading.Ensemble);
        Assert.Equal(code, reading.Refusal!.Code);
        Assert.NotEmpty(reading.Refusal.Sentence);
        return reading.Refusal;
    }
}
