using Confluent.Kafka;
using Scoring.Models.Events;

namespace Scoring.Worker.Kafka;

/// <summary>From the client's headers to ours.</summary>
internal static class RecordHeaders
{
    /// <summary>Takes over the headers of a record.</summary>
    public static void Read(Headers? source, EventHeaders target)
    {
        target.Clear();
        if (source is null)
        {
            return;
        }

        for (int i = 0; i < source.Count; i++)
        {
            var header = source[i];
            target.Add(header.Key, header.GetValueBytes());
        }
    }
}
