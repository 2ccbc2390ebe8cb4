using System.Globalization;
using Spectre.Console;

namespace Scoring.Worker.Demo;

/// <summary>What the demo's user sees: colours and a table in a terminal, plain lines in a file or a pipe.</summary>
internal sealed class DemoScreen
{
    private const int StepCount = 5;

    private static readonly FraudPattern[] Patterns = [.. Enum.GetValues<FraudPattern>().Where(static pattern => pattern != FraudPattern.None)];

    private readonly TextWriter output;
    private readonly IAnsiConsole? console;
    private readonly Lock gate = new();
    private int step;

    /// <summary>Writes to <paramref name="output"/>.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="isTerminal">Whether colours and tables are understood there.</param>
    public DemoScreen(TextWriter output, bool isTerminal)
    {
        this.output = output;
        console = isTerminal ? AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }) : null;
    }

    /// <summary>Begins the next step.</summary>
    public void Step(string text) => Line(string.Create(CultureInfo.InvariantCulture, $"[{++step}/{StepCount}] {text}"), "bold");

    /// <summary>Something that happens in the story.</summary>
    public void Event(string text) => Line("   >  " + text, "bold yellow");

    /// <summary>A result of the step.</summary>
    public void Detail(string text) => Line("      " + text, "grey");

    /// <summary>A line of its own.</summary>
    public void Say(string text = "") => Line(text, style: null);

    /// <summary>The summary.</summary>
    public void Show(DemoReport report)
    {
        Say();
        if (report.IsCompared)
        {
            ShowComparison(report);
        }
        else
        {
            ShowLive(report.All);
        }

        if (report.BySecond.Alerts > 0)
        {
            Say(Text($"New fraud      live: {Caught(report.ByFirst[FraudPattern.StoredCardAbuse])} by model 1 before the swap; {Caught(report.BySecond[FraudPattern.StoredCardAbuse])} by model 2 after it"));
        }

        Say(Text($"Latency        from sent to scored p50 {report.Computed.P50:0} ms, p99 {report.Computed.P99:0} ms; from sent to read by a subscriber p50 {report.Visible.P50:0} ms, p99 {report.Visible.P99:0} ms"));
        Say(Text($"Answers        {report.Sent:N0} sent, {report.Answered:N0} scored, {report.Sent - report.Answered:N0} lost, {report.Repeated:N0} twice, {report.Degraded:N0} marked degraded"));
    }

    private void ShowComparison(DemoReport report)
    {
        var (first, second) = (report.ComparedFirst, report.ComparedSecond);
        Table(
            ["days compared", "payments", "caught by 1", "EUR", "caught by 2", "EUR"],
            [
                .. Patterns.Select(pattern => Row(NameOf(pattern), first[pattern], second[pattern])),
                Row("all frauds", first.Frauds, second.Frauds),
                ["false alarms", Text($"{first.Honest.Count:N0}"), Text($"{first.Honest.Alerted:N0}"), "", Text($"{second.Honest.Alerted:N0}"), ""],
            ]);
        Say(Text($"Same budget    with {second.Alerts:N0} alerts each, the highest scores: model 1 {Budget(report.RankedFirst)}; model 2 {Budget(report.RankedSecond)}"));
    }

    private void ShowLive(DemoModelTally all)
    {
        Table(
            ["live", "payments", "caught", "missed", "caught EUR", "missed EUR"],
            [.. Patterns.Select(pattern => Row(NameOf(pattern), all[pattern])), Row("all frauds", all.Frauds)]);
        Say(Text($"False alarms   {all.Honest.Alerted:N0} of {all.Honest.Count:N0} honest payments ({all.Honest.Share:P2})"));
    }

    private void Table(string[] heads, List<string[]> rows)
    {
        if (console is null)
        {
            output.WriteLine(Columns(heads));
            rows.ForEach(row => output.WriteLine(Columns(row)));
        }
        else
        {
            var table = new Table().Border(TableBorder.Rounded);
            for (int i = 0; i < heads.Length; i++)
            {
                table.AddColumn(new TableColumn(heads[i]) { Alignment = i == 0 ? Justify.Left : Justify.Right, NoWrap = i == 0 });
            }

            rows.ForEach(row => table.AddRow(row));
            console.Write(table);
        }

        Say();
    }

    private static string[] Row(string name, DemoTally first, DemoTally second) =>
    [
        name,
        Text($"{first.Count:N0}"),
        Text($"{first.Alerted:N0}"),
        Text($"{first.AlertedEuroCents / 100:N0}"),
        Text($"{second.Alerted:N0}"),
        Text($"{second.AlertedEuroCents / 100:N0}"),
    ];

    private static string[] Row(string name, DemoTally line) =>
    [
        name,
        Text($"{line.Count:N0}"),
        Text($"{line.Alerted:N0}"),
        Text($"{line.Count - line.Alerted:N0}"),
        Text($"{line.AlertedEuroCents / 100:N0}"),
        Text($"{(line.EuroCents - line.AlertedEuroCents) / 100:N0}"),
    ];

    private static string Caught(DemoTally line) => Text($"{line.Alerted:N0} of {line.Count:N0} caught ({line.Share:P0})");

    private static string Budget(DemoModelTally tally) =>
        Text($"{tally.Frauds.Alerted:N0} of {tally.Frauds.Count:N0} frauds, {tally[FraudPattern.StoredCardAbuse].Alerted:N0} of them the new one, {tally.Frauds.AlertedEuroCents / 100:N0} EUR");

    private static string Columns(string[] cells) => Text($"{cells[0],-22}{cells[1],10}{cells[2],16}{cells[3],12}{cells[4],16}{cells[5],12}");

    private static string NameOf(FraudPattern pattern) => pattern switch
    {
        FraudPattern.CardTesting => "card testing",
        FraudPattern.AccountTakeover => "account takeover",
        FraudPattern.StolenCardSpree => "stolen card spree",
        FraudPattern.CompromisedTerminal => "compromised terminal",
        FraudPattern.SlowDrain => "slow drain",
        _ => "stored cards (new)",
    };

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private void Line(string text, string? style)
    {
        lock (gate)
        {
            if (console is null || style is null)
            {
                output.WriteLine(text);
                output.Flush();
            }
            else
            {
                console.MarkupLine($"[{style}]{Markup.Escape(text)}[/]");
            }
        }
    }
}
