using System.IO.Compression;
using Scoring.Models.Packaging;

namespace Scoring.Worker.Tests.Serving;

/// <summary>What a worker does with a package that the topic offers: it scores, or the model before it goes on and the reason is told once.</summary>
public sealed class ModelOffersTests : IDisposable
{
    private const double First = 0.25;
    private const double Second = 0.5;

    private readonly OfferWorkshop workshop = new();

    public void Dispose() => workshop.Dispose();

    [Fact]
    public void A_newer_package_scores_and_is_shown_alone()
    {
        workshop.Offer(workshop.Package(1, First));
        Assert.Equal(First, workshop.Score());

        workshop.Offer(workshop.NetworkPackage(2, Second));

        Assert.Equal(Second, workshop.Score());
        Assert.Equal(2, workshop.Outcomes("taken"));
        Assert.Equal(2, workshop.Metrics.ModelSequence.Value);
        Assert.Equal("v2", Assert.Single(workshop.Metrics.ModelInfo.GetAllLabelValues())[0]);
    }

    [Fact]
    public void The_same_package_again_changes_nothing()
    {
        byte[] package = workshop.Package(1, First);
        workshop.Offer(package);
        var serving = workshop.Slot.Current;

        workshop.Offer(package);

        Assert.Same(serving, workshop.Slot.Current);
        Assert.Equal(1, workshop.Outcomes("unchanged"));
        Assert.Equal(0, workshop.Outcomes("refused"));
    }

    [Fact]
    public void A_lane_keeps_its_model_until_it_lets_go_and_the_slot_closes_its_own_at_once()
    {
        workshop.Offer(workshop.NetworkPackage(1, First));
        var slots = workshop.Slot.Take(out var lanes).Ensemble!;

        workshop.Offer(workshop.NetworkPackage(2, Second));

        Assert.Equal(First, OfferWorkshop.ScoreOf(lanes!));
        Assert.Throws<ObjectDisposedException>(slots.ForAnotherLane);
        lanes!.Dispose();
        Assert.Throws<ObjectDisposedException>(() => OfferWorkshop.ScoreOf(lanes));
        Assert.Equal(Second, workshop.Score());
    }

    [Fact]
    public void A_changed_byte_is_a_bad_signature() => Refuses("signature_invalid", () =>
    {
        byte[] package = workshop.Package(2, Second);
        package[^200] ^= 1;
        return package;
    });

    [Fact]
    public void A_strangers_key_is_not_accepted() => Refuses("signature_invalid", () =>
    {
        using var stranger = PackageKey.Create();
        return workshop.Package(2, Second, key: stranger);
    });

    [Fact]
    public void An_older_sequence_is_not_played_again()
    {
        workshop.Offer(workshop.Package(5, First));
        Refuses("sequence_too_old", () => workshop.Package(4, Second));
    }

    [Fact]
    public void Another_package_of_the_same_sequence_is_not_taken() => Refuses("sequence_too_old", () => workshop.Package(1, Second));

    [Fact]
    public void An_expired_package_is_not_taken() =>
        Refuses("expired", () => workshop.Package(2, Second, manifest => manifest with { Expires = OfferWorkshop.Now }));

    [Fact]
    public void A_package_is_not_taken_before_its_time() =>
        Refuses("not_yet_valid", () => workshop.Package(2, Second, manifest => manifest with { NotBefore = OfferWorkshop.Now.AddHours(1) }));

    [Fact]
    public void Another_services_package_is_not_taken() =>
        Refuses("other_service", () => workshop.Package(2, Second, manifest => manifest with { Service = "elsewhere" }));

    [Fact]
    public void A_package_of_another_feature_plan_is_not_taken() =>
        Refuses("plan_mismatch", () => workshop.Package(2, Second, manifest => manifest with { PlanDigest = "another" }));

    [Fact]
    public void A_model_that_does_not_give_its_smoke_scores_is_not_taken() =>
        Refuses("smoke_mismatch", () => workshop.Package(2, Second, stated: Second + 2e-6));

    [Fact]
    public void More_than_the_topics_bound_is_not_looked_at() => Refuses("too_large", () => new byte[ModelsTopic.ValueBytesMax + 1]);

    [Fact]
    public void A_signed_zip_that_was_cut_is_not_taken() => Refuses("zip_malformed", () =>
    {
        using var buffer = new MemoryStream();
        using (var zip = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = zip.CreateEntry(PackageFiles.Manifest).Open();
            entry.Write("{}"u8);
        }

        return workshop.SignContent(buffer.ToArray()[..^10]);
    });

    [Fact]
    public void A_signed_bomb_is_not_unpacked() => Refuses("ratio_too_high", () =>
    {
        using var buffer = new MemoryStream();
        using (var zip = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = zip.CreateEntry(PackageFiles.Trees).Open();
            entry.Write(new byte[8 << 20]);
        }

        return workshop.SignContent(buffer.ToArray());
    });

    [Fact]
    public void What_is_no_package_is_not_taken() => Refuses("not_a_package", () => "hello"u8.ToArray());

    [Fact]
    public void A_header_with_control_characters_does_not_break_the_log_line()
    {
        workshop.Offers.Consider("x"u8.ToArray(), ModelRecordHeaders.Read([new(ModelRecordHeaders.VersionHeader, "1\nModel evil scores"u8.ToArray())]));

        Assert.StartsWith("Package 1?Model evil scores (sequence ", Assert.Single(workshop.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tombstone_stops_offering_and_unloads_nothing()
    {
        workshop.Offer(workshop.Package(1, First));

        workshop.Offers.Withdraw();

        Assert.Equal(First, workshop.Score());
        Assert.Equal(1, workshop.Outcomes("withdrawn"));
        workshop.Offer(workshop.Package(2, Second));
        Assert.Equal(Second, workshop.Score());
    }

    [Fact]
    public void A_rollback_is_a_newer_package_with_the_earlier_model_and_cannot_be_replayed()
    {
        byte[] first = workshop.Package(1, First);
        workshop.Offer(first);
        workshop.Offer(workshop.Package(2, Second));
        var earlier = PackageVerifier.Look(first, new VerificationPolicy { AcceptedKeys = [workshop.Key] }).Package!;
        byte[] rollback = PackageRollback.Sign(earlier, 3, workshop.Slot.Sha256, expires: null, workshop.Key);

        workshop.Offer(rollback);

        Assert.Equal(First, workshop.Score());
        Assert.Equal(earlier.Sha256, workshop.Slot.Current.Ensemble!.Package.Manifest.RollbackOf);
        workshop.Offer(workshop.Package(4, Second));
        workshop.Offer(rollback);
        Assert.Equal(Second, workshop.Score());
        Assert.Equal(1, workshop.Refusals("sequence_too_old"));
    }

    [Fact]
    public void History_is_gone_through_silently_and_its_last_package_scores()
    {
        using var starting = new OfferWorkshop(isLive: false);
        starting.Offer(starting.Package(1, First));
        starting.Offer("broken"u8.ToArray());
        starting.Offer(starting.Package(3, Second));
        starting.Offer(starting.Package(2, First));
        Assert.False(starting.Slot.IsFilled);

        starting.Offers.GoLive();

        Assert.Equal(Second, starting.Score());
        Assert.Equal(1, starting.Refusals("sequence_too_old")); // The newest offer is one that was refused: that is told, what lies behind it is not.
        Assert.Equal(0, starting.Refusals("not_a_package"));
        Assert.Equal(1, starting.Metrics.ModelOfferRefused.Value);
    }

    [Fact]
    public void A_start_after_a_tombstone_finds_no_package()
    {
        using var starting = new OfferWorkshop(isLive: false);
        starting.Offer(starting.Package(1, First));
        starting.Offers.Withdraw();

        starting.Offers.GoLive();

        Assert.False(starting.Slot.IsFilled);
    }

    [Fact]
    public void The_sequence_outlives_the_process_where_a_file_keeps_it()
    {
        using var folder = new TemporaryFile();
        using (var before = new OfferWorkshop(folder.Path))
        {
            before.Offer(before.Package(7, First));
        }

        using var after = new OfferWorkshop(folder.Path, isLive: false);
        after.Offer(after.Package(6, Second));
        after.Offers.GoLive();

        Assert.False(after.Slot.IsFilled);
        Assert.Equal(1, after.Refusals("sequence_too_old"));
        File.WriteAllText(folder.Path, "shop/other 9 abc\n");
        var refused = Assert.Throws<Scoring.Worker.Commands.CommandFailure>(() => new OfferWorkshop(folder.Path));
        Assert.Contains("shop/champion", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Beside a running model: it stays, the reason is counted, logged in one line, and shown as long as nothing better is offered.</summary>
    private void Refuses(string reason, Func<byte[]> package)
    {
        if (!workshop.Slot.IsFilled)
        {
            workshop.Offer(workshop.Package(1, First));
        }

        workshop.Lines.Clear();
        workshop.Offer(package());

        Assert.Equal(First, workshop.Score());
        Assert.Equal(1, workshop.Refusals(reason));
        Assert.Equal(1, workshop.Outcomes("refused"));
        Assert.Equal(1, workshop.Metrics.ModelOfferRefused.Value);
        string line = Assert.Single(workshop.Lines);
        Assert.StartsWith($"Package as the header says (sequence ?) was refused, {reason}: ", line, StringComparison.Ordinal);
        workshop.Offer(workshop.Package(9, Second));
        Assert.Equal(Second, workshop.Score());
        Assert.Equal(0, workshop.Metrics.ModelOfferRefused.Value);
    }

    private sealed class TemporaryFile : IDisposable
    {
        private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("fraudscoring-");

        public string Path => System.IO.Path.Combine(folder.FullName, "sequence");

        public void Dispose() => folder.Delete(recursive: true);
    }
}
