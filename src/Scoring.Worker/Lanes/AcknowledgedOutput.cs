using Confluent.Kafka;
using Scoring.Worker.Commands;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Lanes;

/// <summary>Output at least once: what the broker has acknowledged is known per commit interval.</summary>
internal sealed class AcknowledgedOutput : LaneOutput
{
    private readonly IProducer<byte[], byte[]> producer;
    private readonly DirectProduce? direct;
    private readonly Action<int, ErrorCode> delivered;
    private readonly Action<Error> failed;
    private DeliveryWindow open = new(tag: 1);
    private DeliveryWindow closed = new(tag: 2);

    /// <summary>Makes the producer.</summary>
    public AcknowledgedOutput(KafkaClients clients, int inFlightMax, TimeProvider clock)
        : base(inFlightMax, clock)
    {
        producer = clients.Producer();
        direct = DirectProduce.Of(producer);
        delivered = (tag, code) => (tag == open.Tag ? open : closed).Acknowledge(code);
        failed = clients.Log;
    }

    /// <summary>Records that the broker has not acknowledged.</summary>
    public override int InFlight => open.Outstanding + closed.Outstanding;

    /// <inheritdoc/>
    public override bool HasRoom => InFlight < InFlightMax && open.Bytes + closed.Bytes < BytesMax;

    /// <inheritdoc/>
    public override bool TakesRecords => true;

    /// <summary>Whether everything before the last <see cref="Close"/> is acknowledged.</summary>
    public bool ClosedIsAcknowledged => closed.Outstanding == 0;

    /// <summary>Serves delivery reports.</summary>
    /// <exception cref="LaneFailure">The broker refused a record.</exception>
    public override void Poll(TimeSpan wait)
    {
        if (InFlight > 0)
        {
            if (direct is not null)
            {
                direct.TakeReports(wait, delivered, failed);
            }
            else
            {
                producer.Poll(wait);
            }
        }

        var refused = open.Refused == ErrorCode.NoError ? closed.Refused : open.Refused;
        if (refused != ErrorCode.NoError)
        {
            throw new LaneFailure(ExitCode.Internal, $"an output record was refused: {refused.GetReason()}");
        }
    }

    /// <summary>Begins a new interval; what was produced so far is the closed one.</summary>
    /// <exception cref="InvalidOperationException">The one closed before is not acknowledged yet.</exception>
    public void Close()
    {
        if (!ClosedIsAcknowledged)
        {
            throw new InvalidOperationException("the closed interval is not acknowledged");
        }

        (open, closed) = (closed, open);
    }

    /// <summary>Waits until everything is acknowledged.</summary>
    /// <returns>False when the deadline came first.</returns>
    public bool Flush(TimeSpan bound)
    {
        long started = Clock.GetTimestamp();
        while (InFlight > 0)
        {
            Poll(TimeSpan.FromMilliseconds(5));
            if (Clock.GetElapsedTime(started) > bound)
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        direct?.Dispose();
        producer.Dispose();
    }

    /// <inheritdoc/>
    protected override void Hand(OutgoingRecord record)
    {
        if (direct is not null)
        {
            direct.Produce(record, open.Tag);
        }
        else
        {
            producer.Produce(record.Target, AsMessage(record), open.Delivered);
        }

        open.Sent(record.Length);
    }
}
