using Registry.Testing.Processes;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Registry.Infrastructure.Tests;

/// <summary>A test of this assembly: skipped by name when its class wants a server that is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer($"Registry.Infrastructure.Tests.{nameof(ServerFactDiscoverer)}", "Registry.Infrastructure.Tests")]
public sealed class FactAttribute : Xunit.FactAttribute;

/// <inheritdoc cref="FactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer($"Registry.Infrastructure.Tests.{nameof(ServerTheoryDiscoverer)}", "Registry.Infrastructure.Tests")]
public sealed class TheoryAttribute : Xunit.TheoryAttribute;

public sealed class ServerFactDiscoverer(IMessageSink sink) : FactDiscoverer(sink)
{
    public override IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute)
        => MissingServer.ReasonToSkip(testMethod) is { } reason
            ? [new SkippedTestCase(DiagnosticMessageSink, discoveryOptions, testMethod, reason)]
            : base.Discover(discoveryOptions, testMethod, factAttribute);
}

public sealed class ServerTheoryDiscoverer(IMessageSink sink) : TheoryDiscoverer(sink)
{
    public override IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo theoryAttribute)
        => MissingServer.ReasonToSkip(testMethod) is { } reason
            ? [new SkippedTestCase(DiagnosticMessageSink, discoveryOptions, testMethod, reason)]
            : base.Discover(discoveryOptions, testMethod, theoryAttribute);
}

internal static class MissingServer
{
    /// <summary>Classes whose name begins with the server's, as the contracts' one-line classes do, need it.</summary>
    public static string? ReasonToSkip(ITestMethod test)
    {
        var name = test.TestClass.Class.Name.Split('.')[^1];
        return name.StartsWith("PostgreSql", StringComparison.Ordinal) ? PostgreSqlProcess.ReasonToSkip
            : name.StartsWith("OpenLdap", StringComparison.Ordinal) ? OpenLdapProcess.ReasonToSkip
            : name.StartsWith("S3", StringComparison.Ordinal) ? S3Server.ReasonToSkip
            : null;
    }
}

[Serializable]
public sealed class SkippedTestCase : XunitTestCase
{
    private string? _reason;

    [Obsolete("For the deserializer alone.", error: true)]
    public SkippedTestCase()
    {
    }

    public SkippedTestCase(
        IMessageSink sink, ITestFrameworkDiscoveryOptions options, ITestMethod testMethod, string reason)
        : base(sink, options.MethodDisplayOrDefault(), options.MethodDisplayOptionsOrDefault(), testMethod)
        => SkipReason = _reason = reason;

    public override void Serialize(IXunitSerializationInfo data)
    {
        base.Serialize(data);
        data.AddValue(nameof(_reason), _reason);
    }

    public override void Deserialize(IXunitSerializationInfo data)
    {
        base.Deserialize(data);
        SkipReason = _reason = data.GetValue<string>(nameof(_reason));
    }

    protected override string GetSkipReason(IAttributeInfo factAttribute) => _reason ?? base.GetSkipReason(factAttribute);
}
