using System.Runtime.InteropServices;
using System.Text;

namespace Scoring.Models.Events.Scores;

/// <summary>A field of the transaction that stands on its alert where the event has it.</summary>
/// <param name="Member">The start of its member: <c>,"channel":</c>.</param>
/// <param name="Kind">Text or boolean.</param>
/// <param name="Column">Its column among those of its kind.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AlertFact(byte[] Member, FieldKind Kind, int Column)
{
    /// <summary>Names of the optional facts, in the order in which they are written.</summary>
    private static readonly string[] Names =
    [
        "terminal_id", "merchant_category_code", "merchant_country", "card_issuer_country", "transaction_type", "payment_method", "entry_mode", "channel", "card_present",
    ];

    /// <summary>The facts that a schema has.</summary>
    public static AlertFact[] In(EventSchema schema) =>
    [
        .. Names.Select(schema.IndexOf).Where(index => index >= 0).Select(index => new AlertFact(
            Encoding.UTF8.GetBytes($",\"{schema.Fields[index].Name}\":"), schema.Fields[index].Kind, schema.ColumnIndex(index))),
    ];
}
