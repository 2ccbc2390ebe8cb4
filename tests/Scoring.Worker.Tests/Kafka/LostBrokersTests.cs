using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Scoring.Worker.Configuration;
using Scoring.Worker.Demo;
using Scoring.Worker.Kafka;

namespace Scoring.Worker.Tests.Kafka;

/// <summary>A reader without a connection is told where brokers are; one that has one, or has nothing to read, is left alone.</summary>
[Collection("Kafka clients")]
public sealed class LostBrokersTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void A_reader_without_a_connection_is_told_where_brokers_are()
    {
        using var stays = EmbeddedBroker.Start();
        using var goes = EmbeddedBroker.Start();
        stays.CreateTopic("in", 1);
        goes.CreateTopic("in", 1);
        var connected = new Lines();
        var cut = new Lines();
        var idle = new Lines();
        using var readsOn = Reader(stays.BootstrapServers, connected);
        using var lost = Reader(goes.BootstrapServers, cut);
        using var waits = Reader(goes.BootstrapServers, idle);
        readsOn.Assign(new TopicPartitionOffset("in", 0, 0));
        lost.Assign(new TopicPartitionOffset("in", 0, 0));
        Until(() => lost.Consume(100)?.IsPartitionEOF == true);
        Until(() => readsOn.Consume(100)?.IsPartitionEOF == true);

        goes.Dispose();
        Until(() =>
        {
            readsOn.Consume(10);
            lost.Consume(10);
            waits.Consume(10);
            return cut.Said.Any(IsTold);
        });
        Assert.DoesNotContain(connected.Said, IsTold);
        Assert.DoesNotContain(idle.Said, IsTold);

        static bool IsTold(string line) => line.Contains("it is told once more where they are", StringComparison.Ordinal);
    }

    private static IConsumer<Ignore, Ignore> Reader(string servers, ILogger logger) =>
        new KafkaClients(new KafkaOptions { BootstrapServers = servers }, "group", logger).HandReader<Ignore, Ignore>("none", queuedKb: 1_024, isPolledOn: true).Build();

    private static void Until(Func<bool> isSo)
    {
        long began = Stopwatch.GetTimestamp();
        while (!isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience);
        }
    }

    private sealed class Lines : ILogger
    {
        public ConcurrentQueue<string> Said { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Said.Enqueue(formatter(state, exception));
    }
}
