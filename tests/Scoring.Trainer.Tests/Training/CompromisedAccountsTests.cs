using Scoring.Trainer.Training;

namespace Scoring.Trainer.Tests.Training;

public sealed class CompromisedAccountsTests
{
    private const long Day = 86_400_000;

    [Theory]
    [InlineData(9, 0, true)] // caught on day 0, delay 7: known on day 8 and later, not on day 7
    [InlineData(8, 0, true)]
    [InlineData(7, 0, false)]
    [InlineData(20, 0, true)]
    [InlineData(20, -1, false)] // a fraud before the first day that counts removes nobody
    public void An_account_is_left_out_from_the_day_its_fraud_is_known(int day, int fraudDay, bool isLeftOut)
    {
        var table = new FeatureTable(featureCount: 1);
        table.Add((10 + fraudDay) * Day, account: 1, label: 1, features: [0]);
        table.Add((10 + day) * Day + 1, account: 1, label: 0, features: [0]);
        table.Add((10 + day) * Day + 2, account: 2, label: 0, features: [0]);

        var kept = CompromisedAccounts.Remove(table, [1, 2], knownFromMs: 10 * Day, delayMs: 7 * Day);

        Assert.Equal(isLeftOut ? [2] : [1, 2], kept);
    }
}
