using System.Globalization;
using Spectre.Console;

namespace Scoring.Worker.Demo;

/// <summary>What the demo's user sees: colours and a table in a terminal, plain lines in a file or a pipe.</summary>
internal sealed class DemoScreen
{
    private const int StepCount = 5;

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

    /// <summary>A result of the step.</summary>
    public void Detail(string text) => Line("      " + text, "grey");

    /// <summary>A line of its own.</summary>
    public void Say(string text = "") => Line(text, style: null);

    /// <summary>The summary.</summary>
    public void Show(DemoReport report)
    {
        string[] heads = ["pattern", "payments", "caught", "missed", "caught EUR", "missed EUR", "campaigns noticed"];
        var rows = Enum.GetValues<FraudPattern>().Where(pattern => pattern != FraudPattern.None).Select(pattern => Row(NameOf(pattern), report[pattern])).ToList();
        rows.Add(Row("all frauds", report.Frauds));
        Say();
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
                table.AddColumn(new TableColumn(heads[i]) { Alignment = i == 0 ? Justify.Left : Justify.Right });
            }

            rows.ForEach(row => table.AddRow(row));
            console.Write(table);
        }

        Say();
        long alerts = report.Frauds.Alerted + report.Honest.Alerted;
        Say(Text($"False alarms   {report.Honest.Alerted:N0} of {report.Honest.Count:N0} honest payments ({report.Honest.Share:P2}); of {alerts:N0} alerts {(alerts == 0 ? 0 : report.Frauds.Alerted / (double)alerts):P0} were fraud"));
        Say(Text($"Latency        from sent to scored p50 {report.Computed.P50:0} ms, p99 {report.Computed.P99:0} ms; from sent to read by a subscriber p50 {report.Visible.P50:0} ms, p99 {report.Visible.P99:0} ms"));
        Say(Text($"Answers        {report.Sent:N0} sent, {report.Answered:N0} scored, {report.Sent - report.Answered:N0} lost, {report.Repeated:N0} twice, {report.Degraded:N0} marked degraded"));
    }

    private static string[] Row(string name, DemoReport.Line line) =>
    [
        name,
        Text($"{line.Count:N0}"),
        Text($"{line.Alerted:N0}"),
        Text($"{line.Count - line.Alerted:N0}"),
        Text($"{line.AlertedEuroCents / 100:N0}"),
        Text($"{(line.EuroCents - line.AlertedEuroCents) / 100:N0}"),
        Text($"{line.CampaignsNoticed:N0} of {line.Campaigns:N0}"),
    ];

    private static string Columns(string[] cells) => Text($"{cells[0],-22}{cells[1],9}{cells[2],9}{cells[3],9}{cells[4],12}{cells[5],12}{cells[6],19}");

    private static string NameOf(FraudPattern pattern) => pattern switch
    {
        FraudPattern.CardTesting => "card testing",
        FraudPattern.AccountTakeover => "account takeover",
        FraudPattern.StolenCardSpree => "stolen card spree",
        FraudPattern.CompromisedTerminal => "compromised terminal",
        _ => "slow drain",
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
