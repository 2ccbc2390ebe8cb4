namespace Scoring.Trainer.Evaluation;

/// <summary>Whether one set of scores is better than another on the same rows, or only luckier.</summary>
/// <remarks>
/// Accounts are drawn with replacement, each with all its rows: frauds of one account come together, so rows drawn one by one would make
/// the answer look surer than it is (cluster bootstrap: Field and Welsh, "Bootstrapping clustered data", JRSS B 69, 2007). Both sets are
/// judged on the same draw, so what makes a draw hard for both cancels out. Days would be too few to draw from: a week has seven.
/// </remarks>
internal static class PairedBootstrap
{
    /// <summary>Draws.</summary>
    public const int DrawCount = 2_000;

    /// <summary>How sure a lower bound is.</summary>
    public const double Confidence = 0.95;

    /// <summary>Gains of <paramref name="challenger"/> over <paramref name="champion"/>: positive is better.</summary>
    /// <param name="rows">Accounts and outcomes; its scores are not read. Both outcomes must occur.</param>
    /// <param name="champion">Probabilities of one model.</param>
    /// <param name="challenger">Probabilities of the other.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="confidence">Share of the draws that exceed a lower bound.</param>
    public static PairedGains Compare(ScoredRows rows, double[] champion, double[] challenger, int seed, double confidence = Confidence)
    {
        var accounts = rows.Accounts.Distinct().Select((account, index) => (account, index)).ToDictionary(pair => pair.account, pair => pair.index);
        int[] unit = [.. rows.Accounts.Select(account => accounts[account])];
        var before = new Ranked(unit, rows.IsFraud, champion);
        var after = new Ranked(unit, rows.IsFraud, challenger);
        var random = new Random(seed);
        var times = new int[accounts.Count];
        var precisionGains = new List<double>(DrawCount);
        var lossGains = new List<double>(DrawCount);
        for (int draw = 0; draw < DrawCount; draw++)
        {
            Array.Clear(times);
            for (int i = 0; i < times.Length; i++)
            {
                times[random.Next(times.Length)]++;
            }

            double precisionGain = after.AveragePrecision(times) - before.AveragePrecision(times);
            if (double.IsFinite(precisionGain)) // a draw without any fraud cannot tell
            {
                precisionGains.Add(precisionGain);
                lossGains.Add(before.LogLoss(times) - after.LogLoss(times));
            }
        }

        Array.Fill(times, 1);
        return new(
            new(after.AveragePrecision(times) - before.AveragePrecision(times), LowerBound(precisionGains, confidence)),
            new(before.LogLoss(times) - after.LogLoss(times), LowerBound(lossGains, confidence)));
    }

    private static double LowerBound(List<double> gains, double confidence)
    {
        gains.Sort();
        return gains[(int)(gains.Count * (1 - confidence))];
    }

    /// <summary>Rows by descending score, so that a draw costs one pass.</summary>
    private sealed class Ranked
    {
        private readonly int[] units;
        private readonly bool[] isFraud;
        private readonly double[] scores;
        private readonly double[] losses;

        public Ranked(int[] unit, bool[] outcomes, double[] probabilities)
        {
            int[] order = [.. Enumerable.Range(0, unit.Length).OrderByDescending(row => probabilities[row])];
            units = [.. order.Select(row => unit[row])];
            isFraud = [.. order.Select(row => outcomes[row])];
            scores = [.. order.Select(row => probabilities[row])];
            losses = [.. order.Select(row => Reliability.LogLoss([probabilities[row]], [outcomes[row]]))];
        }

        // As Ranking.AveragePrecision, with each row as many times as its account was drawn.
        public double AveragePrecision(int[] times)
        {
            double sum = 0;
            long frauds = 0;
            long rows = 0;
            for (int start = 0; start < units.Length;)
            {
                int end = start;
                int groupFrauds = 0;
                for (; end < units.Length && scores[end] == scores[start]; end++)
                {
                    rows += times[units[end]];
                    groupFrauds += isFraud[end] ? times[units[end]] : 0;
                }

                frauds += groupFrauds;
                sum += groupFrauds == 0 ? 0 : groupFrauds * ((double)frauds / rows);
                start = end;
            }

            return sum / frauds;
        }

        public double LogLoss(int[] times)
        {
            double sum = 0;
            long rows = 0;
            for (int row = 0; row < units.Length; row++)
            {
                sum += times[units[row]] * losses[row];
                rows += times[units[row]];
            }

            return sum / rows;
        }
    }
}

/// <summary>How much better, and at least how much with the confidence asked for.</summary>
/// <param name="AveragePrecision">Gain in average precision.</param>
/// <param name="LogLoss">Log loss saved per row.</param>
internal sealed record PairedGains(PairedGain AveragePrecision, PairedGain LogLoss);

/// <summary>One gain.</summary>
/// <param name="Gain">On the rows as they are.</param>
/// <param name="LowerBound">The value that the draws exceed with the confidence asked for.</param>
internal sealed record PairedGain(double Gain, double LowerBound);
