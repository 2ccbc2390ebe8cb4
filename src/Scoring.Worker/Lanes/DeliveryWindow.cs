using Confluent.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>The output records of one commit interval: how many the broker has not acknowledged, and whether it refused one.</summary>
internal sealed class DeliveryWindow
{
    /// <summary>Starts empty.</summary>
    /// <param name="tag">What its records are told by.</param>
    public DeliveryWindow(int tag)
    {
        Tag = tag;
        Delivered = report => Acknowledge(report.Error.Code);
    }

    /// <summary>What its records are told by.</summary>
    public int Tag { get; }

    /// <summary>The one handler of every record of the window; a closure per record would be garbage.</summary>
    public Action<DeliveryReport<byte[], byte[]>> Delivered { get; }

    /// <summary>Records handed to the producer and not acknowledged yet.</summary>
    public int Outstanding { get; private set; }

    /// <summary>Bytes of keys and values handed over since all was acknowledged last: at least what is outstanding.</summary>
    public long Bytes { get; private set; }

    /// <summary>The first refusal, or <see cref="ErrorCode.NoError"/>: the lane must not commit.</summary>
    public ErrorCode Refused { get; private set; }

    /// <summary>Notes a record handed to the producer.</summary>
    public void Sent(int bytes)
    {
        Outstanding++;
        Bytes += bytes;
    }

    /// <summary>Notes what has become of a record.</summary>
    public void Acknowledge(ErrorCode code)
    {
        if (--Outstanding == 0)
        {
            Bytes = 0;
        }

        if (Refused == ErrorCode.NoError)
        {
            Refused = code;
        }
    }
}
