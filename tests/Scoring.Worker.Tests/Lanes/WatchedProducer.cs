using System.Reflection;
using System.Runtime.ExceptionServices;
using Confluent.Kafka;

namespace Scoring.Worker.Tests.Lanes;

/// <summary>A real producer whose calls are noted; one call may fail instead of reaching it.</summary>
public class WatchedProducer : DispatchProxy
{
    private readonly List<string> calls = [];
    private IProducer<byte[], byte[]> producer = null!;

    /// <summary>Names of the methods called since the transaction of now or the last one began, in order.</summary>
    public IReadOnlyList<string> CallsOfTransaction => [.. calls];

    /// <summary>The next call of this method fails with <see cref="Failure"/>.</summary>
    public string? FailingCall { get; set; }

    /// <summary>What it fails with.</summary>
    public KafkaException Failure { get; set; } = new(ErrorCode.Local_State);

    /// <summary>Watches a producer.</summary>
    public static IProducer<byte[], byte[]> Of(IProducer<byte[], byte[]> producer)
    {
        var watched = Create<IProducer<byte[], byte[]>, WatchedProducer>();
        ((WatchedProducer)watched).producer = producer;
        return watched;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (string.Equals(targetMethod!.Name, nameof(IProducer<,>.BeginTransaction), StringComparison.Ordinal))
        {
            calls.Clear();
        }

        calls.Add(targetMethod.Name);
        if (string.Equals(FailingCall, targetMethod.Name, StringComparison.Ordinal))
        {
            FailingCall = null;
            throw Failure;
        }

        try
        {
            return targetMethod.Invoke(producer, args);
        }
        catch (TargetInvocationException invocation)
        {
            ExceptionDispatchInfo.Throw(invocation.InnerException!);
            throw;
        }
    }
}
