using Confluent.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>The output records of one commit interval: how many the broker has not acknowledged, and whether it refused one.</summary>
internal sealed class DeliveryWindow
{
    /// <summary>Starts empty.</summary>
    public DeliveryWindow() => Delivered = report =>
    {
        if (--Outstanding == 0)
        {
            Bytes = 0;
        }

        if (report.Error.IsError)
        {
            Refused ??= report.Error;
        }
    };

    /// <summary>The one handler of every record of the window; a closure per record would be garbage.</summary>
    public Action<DeliveryReport<byte[], byte[]>> Delivered { get; }

    /// <summary>Records handed to the producer and not acknowledged yet.</summary>
    public int Outstanding { get; private set; }

    /// <summary>Bytes of keys and values handed over since all was acknowledged last: at least what is outstanding.</summary>
    public long Bytes { get; private set; }

    /// <summary>The first refusal: the lane must not commit.</summary>
    public Error? Refused { get; private set; }

    /// <summary>Notes a record handed to the producer.</summary>
    public void Sent(int bytes)
    {
        Outstanding++;
        Bytes += bytes;
    }
}
