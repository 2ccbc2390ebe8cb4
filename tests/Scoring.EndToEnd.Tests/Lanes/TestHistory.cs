using System.Globalization;
using System.Text;

namespace Scoring.EndToEnd.Tests.Lanes;

/// <summary>A simulated stream of ten days over some accounts and 12 merchants, seeded; frauds are more often large and at two of the merchants.</summary>
internal static class TestHistory
{
    /// <summary>First day of every history that is not given another.</summary>
    public static readonly DateTimeOffset Start = new(2025, 3, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes one event a line, each with its outcome.</summary>
    /// <param name="path">The file.</param>
    /// <param name="eventCount">How many.</param>
    /// <param name="seed">Of everything random.</param>
    /// <param name="withLate">Whether one in twenty comes up to ten minutes late.</param>
    /// <param name="start">Its first day; null: <see cref="Start"/>.</param>
    /// <param name="accountCount">Accounts that pay.</param>
    public static void Write(string path, int eventCount, int seed, bool withLate = false, DateTimeOffset? start = null, int accountCount = 40)
    {
        var random = new Random(seed);
        var lines = new StringBuilder();
        double timeMs = (start ?? Start).ToUnixTimeMilliseconds();
        for (int i = 0; i < eventCount; i++)
        {
            timeMs += random.NextDouble() * 2 * 864_000_000 / eventCount;
            long ms = (long)timeMs - (withLate && random.Next(20) == 0 ? random.Next(600_000) : 0);
            var time = DateTimeOffset.FromUnixTimeMilliseconds(ms);
            int amountMinor = random.Next(1, 20_000);
            int merchant = random.Next(12);
            double risk = 0.02 + (amountMinor > 12_000 ? 0.3 : 0) + (merchant < 2 ? 0.4 : 0);
            lines.Append(CultureInfo.InvariantCulture, $$"""{"transaction_id":"t-{{i}}","event_time":"{{time:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}","amount_minor":{{amountMinor}},"currency":"EUR","account_id":"a-{{random.Next(accountCount)}}","merchant_id":"m-{{merchant}}","is_fraud":{{(random.NextDouble() < risk ? "true" : "false")}}}""").Append('\n');
        }

        File.WriteAllText(path, lines.ToString());
    }
}
