using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace Scoring.Trainer.History;

/// <summary>Reads a customer's Parquet file row by row as JSON objects with the columns as members.</summary>
internal static class ParquetRecords
{
    /// <summary>Reads every row. Empty values are left out; times become RFC 3339, UTC where they state no zone.</summary>
    /// <exception cref="TrainerException">The file is no Parquet, or a column is of a kind that has no place in JSON.</exception>
    public static async IAsyncEnumerable<ImportedRecord> ReadAsync(string path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var parquet = await OpenAsync(path, cancellation);
        var fields = parquet.Schema.GetDataFields();
        var buffer = new ArrayBufferWriter<byte>();
        await using var json = new Utf8JsonWriter(buffer);
        long line = 0;
        for (int groupIndex = 0; groupIndex < parquet.RowGroupCount; groupIndex++)
        {
            using var group = parquet.OpenRowGroupReader(groupIndex);
            var columns = new List<Action<Utf8JsonWriter, int>>();
            foreach (var field in fields)
            {
                columns.Add(await ColumnAsync(path, group, field, cancellation));
            }

            for (int row = 0; row < group.RowCount; row++)
            {
                buffer.ResetWrittenCount();
                json.Reset();
                json.WriteStartObject();
                foreach (var column in columns)
                {
                    column(json, row);
                }

                json.WriteEndObject();
                await json.FlushAsync(cancellation);
                yield return new(++line, buffer.WrittenMemory, null);
            }
        }
    }

    private static async Task<ParquetReader> OpenAsync(string path, CancellationToken cancellation)
    {
        try
        {
            return await ParquetReader.CreateAsync(path, cancellationToken: cancellation);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new TrainerException(ExitCode.Data, $"{path}: no readable Parquet file: {e.Message}", e);
        }
    }

    // A column as something that writes its member of a row.
    private static async Task<Action<Utf8JsonWriter, int>> ColumnAsync(string path, ParquetRowGroupReader group, DataField field, CancellationToken cancellation)
    {
        string name = field.Name;
        if (field.MaxRepetitionLevel > 0)
        {
            throw new TrainerException(ExitCode.Data, $"{path}: column {name} holds lists; import flat columns");
        }

        if (field.ClrType == typeof(string) || field.ClrType == typeof(ReadOnlyMemory<char>))
        {
            var texts = new string?[group.RowCount];
            await group.ReadAsync(field, texts.AsMemory(), cancellationToken: cancellation);
            return (json, row) =>
            {
                if (texts[row] is { } text)
                {
                    json.WriteString(name, text);
                }
            };
        }

        return Type.GetTypeCode(field.ClrType) switch
        {
            TypeCode.Boolean => await ValuesAsync<bool>((json, value) => json.WriteBoolean(name, value)),
            TypeCode.Byte => await ValuesAsync<byte>((json, value) => json.WriteNumber(name, value)),
            TypeCode.SByte => await ValuesAsync<sbyte>((json, value) => json.WriteNumber(name, value)),
            TypeCode.Int16 => await ValuesAsync<short>((json, value) => json.WriteNumber(name, value)),
            TypeCode.UInt16 => await ValuesAsync<ushort>((json, value) => json.WriteNumber(name, value)),
            TypeCode.Int32 => await ValuesAsync<int>((json, value) => json.WriteNumber(name, value)),
            TypeCode.UInt32 => await ValuesAsync<uint>((json, value) => json.WriteNumber(name, value)),
            TypeCode.Int64 => await ValuesAsync<long>((json, value) => json.WriteNumber(name, value)),
            TypeCode.UInt64 => await ValuesAsync<ulong>((json, value) => json.WriteNumber(name, value)),
            TypeCode.Decimal => await ValuesAsync<decimal>((json, value) => json.WriteNumber(name, value)),
            TypeCode.Single => await ValuesAsync<float>((json, value) => WriteFinite(json, value)),
            TypeCode.Double => await ValuesAsync<double>((json, value) => WriteFinite(json, value)),
            TypeCode.DateTime => await ValuesAsync<DateTime>((json, value) => json.WriteString(name, DateTime.SpecifyKind(value, DateTimeKind.Utc))),
            _ => throw new TrainerException(ExitCode.Data, $"{path}: column {name} is of type {field.ClrType.Name}; import texts, numbers, booleans and times"),
        };

        async Task<Action<Utf8JsonWriter, int>> ValuesAsync<T>(Action<Utf8JsonWriter, T> write)
            where T : struct
        {
            if (!field.IsNullable)
            {
                var present = new T[group.RowCount];
                await group.ReadAsync<T>(field, present.AsMemory(), cancellationToken: cancellation);
                return (json, row) => write(json, present[row]);
            }

            var values = new T?[group.RowCount];
            await group.ReadAsync<T>(field, values.AsMemory(), cancellationToken: cancellation);
            return (json, row) =>
            {
                if (values[row] is { } value)
                {
                    write(json, value);
                }
            };
        }

        // JSON has no NaN; the decoder reports a text where a number is due, with the field's name.
        void WriteFinite(Utf8JsonWriter json, double value)
        {
            if (double.IsFinite(value))
            {
                json.WriteNumber(name, value);
            }
            else
            {
                json.WriteString(name, value.ToString(System.Globalization.CultureInfo.InvariantCulture));
            }
        }
    }
}
