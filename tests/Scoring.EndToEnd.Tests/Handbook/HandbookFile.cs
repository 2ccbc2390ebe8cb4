using System.Globalization;
using System.IO.Compression;

namespace Scoring.EndToEnd.Tests.Handbook;

/// <summary>The recorded transactions of the Fraud Detection Handbook, a gzipped CSV file in time order.</summary>
internal static class HandbookFile
{
    /// <summary>Day 0.</summary>
    public static readonly DateTimeOffset Epoch = new(2018, 4, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Its lines, header first.</summary>
    public static IEnumerable<string> Lines(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    /// <summary>Copies the days from <paramref name="firstDay"/> to <paramref name="lastDay"/>, both included, of the customers that <paramref name="isTaken"/> wants.</summary>
    /// <returns>The rows copied.</returns>
    public static List<HandbookRow> Copy(string from, string to, int firstDay, int lastDay, Func<int, bool> isTaken)
    {
        var rows = new List<HandbookRow>();
        using var writer = new StreamWriter(new GZipStream(File.Create(to), CompressionLevel.Fastest));
        bool isHeader = true;
        foreach (string line in Lines(from))
        {
            if (isHeader)
            {
                writer.WriteLine(line);
                isHeader = false;
                continue;
            }

            string[] cells = line.Split(',');
            int day = Number(cells[2]);
            if (day > lastDay)
            {
                break;
            }

            if (day >= firstDay && isTaken(Number(cells[3])))
            {
                writer.WriteLine(line);
                rows.Add(new(Number(cells[0]), Number(cells[1]), Number(cells[3]), Number(cells[4]), cells[5], cells[6] is "1"));
            }
        }

        return rows;
    }

    private static int Number(string cell) => int.Parse(cell, CultureInfo.InvariantCulture);
}

/// <summary>One recorded transaction.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Seconds">Time since day 0, s.</param>
/// <param name="Customer">Who paid.</param>
/// <param name="Terminal">Where.</param>
/// <param name="Amount">As written.</param>
/// <param name="IsFraud">Its outcome.</param>
internal sealed record HandbookRow(int Id, int Seconds, int Customer, int Terminal, string Amount, bool IsFraud);
