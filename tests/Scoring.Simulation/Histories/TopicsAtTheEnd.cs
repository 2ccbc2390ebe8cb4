using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Scoring.Models.Features;
using Scoring.Simulation.Broker;
using Scoring.Simulation.Scheduling;

namespace Scoring.Simulation.Histories;

/// <summary>What stands on the topics when a history is over: to be printed, and to be compared with that of the same seed.</summary>
internal sealed class TopicsAtTheEnd(Surroundings around)
{
    private readonly World world = around.World;
    private readonly SimulatedBroker broker = around.Broker;

    /// <summary>Prints what can be read at the end, but for state and contributions, which are no text.</summary>
    public void Print()
    {
        PrintContributions();
        var topics = around.Simulated.Service.Topics;
        foreach (string topic in new[] { topics.Transactions, topics.Labels, topics.Scores, topics.Alerts, topics.DeadLetters })
        {
            foreach (var log in broker.Topics[topic])
            {
                foreach (var (offset, record) in log.Committed())
                {
                    world.Print(FormattableString.Invariant($"{topic}-{log.Name.Partition.Value}@{offset}"), Encoding.UTF8.GetString(record.Value ?? []));
                }
            }
        }
    }

    /// <summary>Hash of all that happened and of all that stands there.</summary>
    public ulong Hash()
    {
        var hash = new XxHash64();
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        BitConverter.TryWriteBytes(number, world.Hash);
        hash.Append(number);
        foreach (var (_, logs) in broker.Topics)
        {
            foreach (var log in logs)
            {
                for (long offset = log.Start; offset < log.End; offset++)
                {
                    BitConverter.TryWriteBytes(number, offset);
                    hash.Append(number);
                    hash.Append(log[offset].Key ?? []);
                    hash.Append(log[offset].Value ?? []);
                }
            }
        }

        return hash.GetCurrentHashAsUInt64();
    }

    /// <summary>Prints contributions: a mark's time, or an entity's pane and how many events it counts.</summary>
    private void PrintContributions()
    {
        foreach (var log in broker.Topics[around.Simulated.Service.Topics.Aggregates])
        {
            foreach (var (offset, record) in log.Committed())
            {
                string what = ContributionMark.TryRead(record.Key, record.Value, out long watermarkMs, out bool isSilent) ? FormattableString.Invariant($"{(isSilent ? "silent" : "mark")} {Time(watermarkMs)}")
                    : record.Value is not { Length: >= sizeof(long) } counters ? "expired"
                    : FormattableString.Invariant($"{Encoding.UTF8.GetString(record.Key.AsSpan(20))} {Time(BinaryPrimitives.ReadInt64BigEndian(record.Key.AsSpan(12)))}: {Convert.ToHexString(counters)}");
                world.Print(FormattableString.Invariant($"agg-{log.Name.Partition.Value}@{offset}"), what);
            }
        }

        static string Time(long ms) => ms is long.MinValue or long.MaxValue ? "never" : DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("s", CultureInfo.InvariantCulture);
    }
}
