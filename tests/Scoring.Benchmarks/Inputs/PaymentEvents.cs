using System.Globalization;
using System.Text;

namespace Scoring.Benchmarks.Inputs;

/// <summary>Synthetic payments in our own contract: 14 members, about 300 bytes, no two alike. A seed is a stream.</summary>
internal sealed class PaymentEvents
{
    /// <summary>Time of the first event: 2025-06-02T08:00:00Z, ms since 1970 UTC.</summary>
    public const long StartMs = 1_748_851_200_000;

    private static readonly string[] Currencies = ["EUR", "USD", "GBP", "CHF", "JPY"];
    private static readonly string[] Countries = ["DE", "FR", "NL", "US", "GB", "PL"];
    private static readonly string[] Categories = ["5411", "5812", "5732", "4829", "5999", "6011", "4111"];
    private static readonly string[] Channels = ["pos", "pos", "ecommerce", "atm", "moto"];
    private static readonly string[] EntryModes = ["chip", "contactless", "ecommerce", "magstripe"];

    private readonly Random random;
    private readonly long stepMicroseconds;
    private long number;

    /// <summary>Starts a stream.</summary>
    /// <param name="seed">Two streams of one seed are alike.</param>
    /// <param name="accounts">Different accounts, uniformly drawn: the worst case for caches.</param>
    /// <param name="merchants">Different merchants.</param>
    /// <param name="stepMicroseconds">Event time between two events.</param>
    public PaymentEvents(int seed, int accounts, int merchants, long stepMicroseconds = 1_000)
    {
        random = new Random(seed);
        Accounts = accounts;
        Merchants = merchants;
        this.stepMicroseconds = stepMicroseconds;
    }

    /// <summary>Different accounts.</summary>
    public int Accounts { get; }

    /// <summary>Different merchants.</summary>
    public int Merchants { get; }

    /// <summary>Random accounts.</summary>
    public IEnumerable<int> Draw(int count, int seed)
    {
        var accounts = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            yield return accounts.Next(Accounts);
        }
    }

    /// <summary>The next event of a random account.</summary>
    public byte[] Next() => Next(random.Next(Accounts), out _);

    /// <summary>The next event of an account.</summary>
    /// <param name="account">0 to <see cref="Accounts"/> - 1.</param>
    /// <param name="key">The account's id, UTF-8: the key of the record.</param>
    public byte[] Next(int account, out byte[] key)
    {
        long id = number++;
        var time = DateTimeOffset.FromUnixTimeMilliseconds(StartMs + (id * stepMicroseconds / 1_000));
        string channel = Pick(Channels);
        string accountId = string.Create(CultureInfo.InvariantCulture, $"a{account:D8}");
        key = Encoding.ASCII.GetBytes(accountId);
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"transaction_id":"t{{id:x8}}","event_time":"{{time:yyyy-MM-ddTHH:mm:ss.fffZ}}","amount_minor":{{Amount()}},"currency":"{{Currencies[account % Currencies.Length]}}","account_id":"{{accountId}}","merchant_id":"m{{random.Next(Merchants):D6}}","merchant_category_code":"{{Pick(Categories)}}","merchant_country":"{{Pick(Countries)}}","card_issuer_country":"{{Pick(Countries)}}","entry_mode":"{{Pick(EntryModes)}}","channel":"{{channel}}","card_present":{{(channel is "pos" or "atm" ? "true" : "false")}},"device_id":"d{{account % 65_536:x}}","ip_country":"{{Pick(Countries)}}"}"""));
    }

    // Log-normal, 20 in the middle, as amounts are.
    private long Amount()
    {
        double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return 1 + (long)(2_000 * Math.Exp(1.2 * normal));
    }

    private string Pick(string[] values) => values[random.Next(values.Length)];
}
