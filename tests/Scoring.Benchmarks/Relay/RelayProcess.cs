using System.CommandLine;
using System.Globalization;

namespace Scoring.Benchmarks.Relay;

/// <summary><c>relay</c>: copies a topic to another until it is stopped. A process of its own, so that its CPU time is its own.</summary>
internal static class RelayProcess
{
    /// <summary>This program.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "Scoring.Benchmarks.dll");

    /// <summary>The verb's command line.</summary>
    /// <param name="servers">Brokers.</param>
    /// <param name="from">Topic to read.</param>
    /// <param name="to">Topic to write.</param>
    /// <param name="answerBytes">As <c>--answer-bytes</c>.</param>
    /// <param name="transactionMs">As <c>--transaction-ms</c>.</param>
    public static IEnumerable<string> Arguments(string servers, string from, string to, int answerBytes, int transactionMs = 0) =>
    [
        "relay", "--bootstrap", servers, "--from", from, "--to", to,
        "--answer-bytes", answerBytes.ToString(CultureInfo.InvariantCulture), "--transaction-ms", transactionMs.ToString(CultureInfo.InvariantCulture),
    ];

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var bootstrap = new Option<string>("--bootstrap") { Description = "Brokers.", Required = true };
        var from = new Option<string>("--from") { Description = "Topic to read from its beginning.", Required = true };
        var to = new Option<string>("--to") { Description = "Topic with as many partitions, to write to.", Required = true };
        var threads = new Option<int>("--threads") { Description = "Consumers, each with a producer.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var answers = new Option<int>("--answer-bytes") { Description = "Writes records of this size with an answer's headers, reports deliveries and commits behind them. 0: copies, and commits blindly." };
        var transaction = new Option<int>("--transaction-ms") { Description = "Commits records and offsets in Kafka transactions of this length. 0: without." };
        var command = new Command("relay", "Copies every record of a topic to the same partition of another: the rival of the worker in 'ratios'.") { bootstrap, from, to, threads, answers, transaction };
        command.SetAction(async (parsed, stopping) =>
        {
            var loops = Enumerable.Range(0, parsed.GetValue(threads)).Select(number => Task.Factory.StartNew(
                () => new RelayLoop(
                    parsed.GetValue(bootstrap)!,
                    parsed.GetValue(from)!,
                    parsed.GetValue(to)!,
                    parsed.GetValue(answers),
                    parsed.GetValue(transaction) is > 0 and var ms ? TimeSpan.FromMilliseconds(ms) : null,
                    number).Run(stopping),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default));
            await Task.WhenAll(loops);
            return 0;
        });
        return command;
    }
}
