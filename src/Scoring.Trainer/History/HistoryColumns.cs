using System.Globalization;
using Parquet.Schema;
using Scoring.Models.Events;

namespace Scoring.Trainer.History;

/// <summary>The columns of a history file: the schema's fields by wire name, then what is known of the outcome.</summary>
/// <remarks>A history is one Parquet file, sorted by event time; rows of one time by partition and offset: in the order in which they came. Times are int64 ms since 1970 UTC.</remarks>
internal sealed class HistoryColumns
{
    /// <summary>Outcome: true fraud, false honest, null not known.</summary>
    public const string Label = "label_is_fraud";

    /// <summary>When the outcome became known to the world, ms since 1970 UTC; null with no outcome.</summary>
    public const string LabelTime = "label_reported_at";

    /// <summary>Partition of the topic that the row came from; 0 for a file.</summary>
    public const string SourcePartition = "source_partition";

    /// <summary>Its offset in that partition; the line number for a file.</summary>
    public const string SourceOffset = "source_offset";

    /// <summary>Rows of a row group: a reader holds one at a time.</summary>
    public const int RowsPerGroup = 65_536;

    /// <summary>Metadata: the form of the file.</summary>
    public const string FormatKey = "fraudscoring.history.format";

    /// <summary>Metadata: the service whose definition decoded the rows.</summary>
    public const string ServiceKey = "fraudscoring.history.service";

    /// <summary>Metadata: rows of the file.</summary>
    public const string RowsKey = "fraudscoring.history.rows";

    /// <summary>The form that this code writes and reads.</summary>
    public static readonly string Format = 1.ToString(CultureInfo.InvariantCulture);

    public HistoryColumns(EventSchema schema)
    {
        Fields = [.. schema.Fields.Select(field => ToColumn(field))];
        IsFraud = new DataField<bool?>(Label);
        ReportedAt = new DataField<long?>(LabelTime);
        Partition = new DataField<int>(SourcePartition);
        Offset = new DataField<long>(SourceOffset);
        Parquet = new ParquetSchema([.. Fields, IsFraud, ReportedAt, Partition, Offset]);
    }


    /// <summary>A column for each field, in the order of the schema.</summary>
    public DataField[] Fields { get; }

    public DataField IsFraud { get; }

    public DataField ReportedAt { get; }

    public DataField Partition { get; }

    public DataField Offset { get; }

    public ParquetSchema Parquet { get; }

    /// <summary>Makes sure that no attribute has the name of a column of every history.</summary>
    /// <exception cref="TrainerException">One has.</exception>
    public static void RequireFree(EventSchema schema)
    {
        string[] own = [Label, LabelTime, SourcePartition, SourceOffset];
        if (Array.Find(own, name => schema.IndexOf(name) >= 0) is { } taken)
        {
            throw new TrainerException(ExitCode.Data, $"{taken} is a column of every history: give the attribute another name");
        }
    }

    private static DataField ToColumn(EventField field) => field.Kind switch
    {
        FieldKind.Text => new DataField<string>(field.Name),
        FieldKind.Number => new DataField<double?>(field.Name),
        FieldKind.Boolean => new DataField<bool?>(field.Name),
        _ => new DataField<long?>(field.Name),
    };
}
