using System.Runtime.InteropServices;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Demo;

/// <summary>The functions of librdkafka that host its mock cluster.</summary>
/// <remarks>
/// <c>rdkafka.h</c> and <c>rdkafka_mock.h</c> of librdkafka 2.16. The mock functions carry no promise of stability:
/// a new version of Confluent.Kafka is taken only with the tests of <see cref="EmbeddedBroker"/> passing.
/// </remarks>
internal static partial class MockCluster
{
    public const int ProducerType = 0;
    public const int Ok = 0;
    public const int TopicAlreadyExists = 36;
    public const int NotEnoughReplicas = 19;
    public const int GroupAuthorizationFailed = 30;
    public const short ProduceRequest = 0;
    public const short OffsetCommitRequest = 8;

    static MockCluster() => LoadedLibrdkafka.Bind();

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_conf_new")]
    public static partial nint NewConfiguration();

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetConfiguration(nint configuration, string name, string value, Span<byte> error, nuint errorSize);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_conf_destroy")]
    public static partial void DestroyConfiguration(nint configuration);

    /// <summary>Starts a client; it owns <paramref name="configuration"/> unless the answer is zero.</summary>
    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_new")]
    public static partial nint NewClient(int type, nint configuration, Span<byte> error, nuint errorSize);

    /// <summary>Ends a client and joins its threads.</summary>
    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_destroy")]
    public static partial void DestroyClient(nint client);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_mock_cluster_new")]
    public static partial nint New(nint client, int brokerCount);

    /// <summary>Ends a cluster and joins its thread.</summary>
    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_mock_cluster_destroy")]
    public static partial void Destroy(nint cluster);

    /// <summary>The cluster's own null-terminated string, not to be freed.</summary>
    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    public static partial nint BootstrapServers(nint cluster);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_mock_topic_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CreateTopic(nint cluster, string topic, int partitionCount, int replicationFactor);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_mock_group_initial_rebalance_delay_ms")]
    public static partial void SetInitialRebalanceDelay(nint cluster, int delayMs);

    /// <summary>Answers the next requests of one kind with errors, one each.</summary>
    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_mock_push_request_errors_array")]
    public static partial void PushRequestErrors(nint cluster, short requestKind, nuint count, ReadOnlySpan<int> errors);

    /// <summary>Has a broker answer one of the next requests of a kind with an error, or with <see cref="Ok"/>, and take so long for it, ms; brokers count from 1.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="requestKind">The kind.</param>
    /// <param name="count">1: the function takes as many pairs of what follows.</param>
    /// <param name="error">The error.</param>
    /// <param name="roundTripMs">The time.</param>
    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_mock_broker_push_request_error_rtts")]
    public static partial int PushRequestError(nint cluster, int broker, short requestKind, nuint count, int error, int roundTripMs);

    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_mock_clear_request_errors")]
    public static partial void ClearRequestErrors(nint cluster, short requestKind);

    /// <summary>How long a broker takes for every answer from now on, ms; brokers count from 1.</summary>
    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_mock_broker_set_rtt")]
    public static partial int SetRoundTrip(nint cluster, int broker, int roundTripMs);

    /// <summary>The library's own null-terminated string, not to be freed.</summary>
    [LibraryImport(LoadedLibrdkafka.Name, EntryPoint = "rd_kafka_err2str")]
    public static partial nint ErrorText(int error);
}
