using System.Runtime.InteropServices;
using System.Text;

namespace Scoring.Worker.Demo;

/// <summary>A broker that speaks Kafka's protocol on a loopback port, inside this process, for the demo and for tests.</summary>
/// <remarks>
/// It is librdkafka's mock cluster: other processes of this machine reach it, nothing is installed, everything is lost
/// at <see cref="Dispose"/>. It shows the system at work and proves nothing about exactly-once: it keeps the last 5 MB
/// or 100,000 messages of a partition and forgets older ones in silence, keeps no offsets committed inside a Kafka
/// transaction, fences no producer, hides no aborted message, compacts nothing. Whoever writes to it must be
/// paced by whoever reads. A member that joins or leaves a group stops it for the session timeout less a second, so
/// clients set a short one. Of the administration calls it answers metadata, ListOffsets and a group's offsets only.
/// </remarks>
public sealed class EmbeddedBroker : IDisposable
{
    /// <summary>A setting that its clients need: it does not wake a waiting reader when something comes, it answers when the wait is over.</summary>
    internal const string FetchWait = "fetch.wait.max.ms";

    /// <summary>Its value, ms.</summary>
    internal const string FetchWaitMs = "5";

    private const int ErrorBytes = 512;
    private const int RefusedRequests = 100_000; // Hours, at a client's pace of repeating.

    // How long a new group waits for more members; the default is 3 s. Long enough for the lanes of one worker, because
    // whoever comes later waits for a rebalance, and that takes the group's session timeout less a second.
    private const int InitialRebalanceDelayMs = 250;

    private readonly Lock gate = new();
    private nint clientHandle;
    private nint clusterHandle;

    private EmbeddedBroker(nint client, nint cluster, string bootstrapServers)
    {
        clientHandle = client;
        clusterHandle = cluster;
        BootstrapServers = bootstrapServers;
    }

    /// <summary>Where clients connect, <c>127.0.0.1:port</c>; the port is a free one.</summary>
    public string BootstrapServers { get; }

    /// <summary>Starts a broker with no topics.</summary>
    /// <exception cref="InvalidOperationException">The Kafka library could not start it; the message says why.</exception>
    public static EmbeddedBroker Start()
    {
        nint client = StartClient();
        nint cluster = MockCluster.New(client, brokerCount: 1);
        if (cluster == 0)
        {
            MockCluster.DestroyClient(client);
            throw new InvalidOperationException("The embedded broker could not listen on a loopback port.");
        }

        MockCluster.SetInitialRebalanceDelay(cluster, InitialRebalanceDelayMs);
        return new EmbeddedBroker(client, cluster, Text(MockCluster.BootstrapServers(cluster)));
    }

    /// <summary>Creates a topic; one that was not created appears at its first use, with 4 partitions.</summary>
    /// <param name="topic">1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-'.</param>
    /// <param name="partitionCount">At least 1.</param>
    /// <returns>False when there was a topic of that name; it stays as it was.</returns>
    /// <exception cref="InvalidOperationException">The broker refused; the message says why.</exception>
    public bool CreateTopic(string topic, int partitionCount)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        ArgumentOutOfRangeException.ThrowIfLessThan(partitionCount, 1);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(clusterHandle == 0, this);
            int error = MockCluster.CreateTopic(clusterHandle, topic, partitionCount, replicationFactor: 1);
            return error switch
            {
                MockCluster.Ok => true,
                MockCluster.TopicAlreadyExists => false,
                _ => throw new InvalidOperationException(
                    $"The embedded broker did not create topic '{topic}': {Text(MockCluster.ErrorText(error))}."),
            };
        }
    }

    /// <summary>Refuses what is written as a broker without enough replicas does, so that clients repeat it, until <see cref="TakeWrites"/>.</summary>
    internal void RefuseWrites() => Refuse(MockCluster.ProduceRequest, MockCluster.NotEnoughReplicas, RefusedRequests);

    /// <summary>Takes what is written again.</summary>
    internal void TakeWrites() => Take(MockCluster.ProduceRequest);

    /// <summary>Refuses commits of offsets as a broker does that does not grant the group any more, until <see cref="TakeCommits"/>.</summary>
    internal void RefuseCommits() => Refuse(MockCluster.OffsetCommitRequest, MockCluster.GroupAuthorizationFailed, RefusedRequests);

    /// <summary>Takes commits again.</summary>
    internal void TakeCommits() => Take(MockCluster.OffsetCommitRequest);

    /// <summary>Answers the next requests of one kind with an error.</summary>
    /// <param name="requestKind">Number of the request in Kafka's protocol.</param>
    /// <param name="error">Number of the error in Kafka's protocol; -195, librdkafka's own for a broken connection, closes the connection instead.</param>
    /// <param name="times">How many requests.</param>
    internal void Refuse(short requestKind, int error, int times)
    {
        int[] errors = new int[times];
        Array.Fill(errors, error);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(clusterHandle == 0, this);
            MockCluster.PushRequestErrors(clusterHandle, requestKind, (nuint)times, errors);
        }
    }

    /// <summary>Answers one of the next requests of one kind with an error, or with none (0), after a while.</summary>
    /// <param name="requestKind">Number of the request in Kafka's protocol.</param>
    /// <param name="error">Number of the error in Kafka's protocol.</param>
    /// <param name="after">How long that takes.</param>
    internal void AnswerNext(short requestKind, int error, TimeSpan after)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(clusterHandle == 0, this);
            _ = MockCluster.PushRequestError(clusterHandle, broker: 1, requestKind, count: 1, error, (int)after.TotalMilliseconds);
        }
    }

    /// <summary>Answers requests of one kind as they come again.</summary>
    internal void Take(short requestKind)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(clusterHandle == 0, this);
            MockCluster.ClearRequestErrors(clusterHandle, requestKind);
        }
    }

    /// <summary>Takes so long for every answer from now on.</summary>
    internal void AnswerAfter(TimeSpan time)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(clusterHandle == 0, this);
            _ = MockCluster.SetRoundTrip(clusterHandle, broker: 1, (int)time.TotalMilliseconds);
        }
    }

    /// <summary>Closes every connection, ends the broker's threads and forgets all messages.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (clusterHandle == 0)
            {
                return;
            }

            MockCluster.Destroy(clusterHandle);
            MockCluster.DestroyClient(clientHandle);
            clusterHandle = 0;
            clientHandle = 0;
        }
    }


    // The mock cluster lives on a client's handle, which has nothing else to do.
    private static nint StartClient()
    {
        Span<byte> error = stackalloc byte[ErrorBytes];
        nint configuration = MockCluster.NewConfiguration();

        // Errors only: at the default level the idle client would report that it has no broker to connect to.
        if (MockCluster.SetConfiguration(configuration, "log_level", "3", error, ErrorBytes) != MockCluster.Ok)
        {
            MockCluster.DestroyConfiguration(configuration);
            throw new InvalidOperationException($"The embedded broker could not be configured: {Text(error)}.");
        }

        nint client = MockCluster.NewClient(MockCluster.ProducerType, configuration, error, ErrorBytes);
        if (client == 0)
        {
            MockCluster.DestroyConfiguration(configuration);
            throw new InvalidOperationException($"The embedded broker could not start: {Text(error)}.");
        }

        return client;
    }

    private static string Text(nint nullTerminated) => Marshal.PtrToStringUTF8(nullTerminated) ?? "";

    private static string Text(ReadOnlySpan<byte> nullTerminated)
    {
        int length = nullTerminated.IndexOf((byte)0);
        return Encoding.UTF8.GetString(length < 0 ? nullTerminated : nullTerminated[..length]);
    }
}
