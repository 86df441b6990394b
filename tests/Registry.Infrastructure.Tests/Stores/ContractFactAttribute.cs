using Xunit.Abstractions;
using Xunit.Sdk;

namespace Registry.Infrastructure.Tests.Stores;

/// <summary>The programs without which a class cannot keep a contract: its tests are then skipped, except in CI.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsAttribute(params string[] programs) : Attribute
{
    public IReadOnlyList<string> Programs => programs;

    public static string? ReasonToSkip(ITestMethod test)
        => test.TestClass.Class.GetCustomAttributes(typeof(NeedsAttribute)).FirstOrDefault() is { } needs
            ? Testing.Processes.Programs.ReasonToSkip([.. needs.GetConstructorArguments().Cast<IEnumerable<object>>().Single().Cast<string>()])
            : null;
}

/// <summary>A test of a contract, which each class that keeps it runs or, where it <see cref="NeedsAttribute">cannot</see>, skips.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer($"{nameof(Registry)}.Infrastructure.Tests.Stores.{nameof(ContractFactDiscoverer)}", "Registry.Infrastructure.Tests")]
public sealed class ContractFactAttribute : FactAttribute;

/// <inheritdoc cref="ContractFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer($"{nameof(Registry)}.Infrastructure.Tests.Stores.{nameof(ContractTheoryDiscoverer)}", "Registry.Infrastructure.Tests")]
public sealed class ContractTheoryAttribute : TheoryAttribute;

public sealed class ContractFactDiscoverer(IMessageSink messages) : FactDiscoverer(messages)
{
    protected override IXunitTestCase CreateTestCase(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute)
        => new ContractTestCase(DiagnosticMessageSink, discoveryOptions, testMethod, null);
}

public sealed class ContractTheoryDiscoverer(IMessageSink messages) : TheoryDiscoverer(messages)
{
    protected override IEnumerable<IXunitTestCase> CreateTestCasesForDataRow(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo theoryAttribute, object[] dataRow)
        => [new ContractTestCase(DiagnosticMessageSink, discoveryOptions, testMethod, dataRow)];
}

public sealed class ContractTestCase : XunitTestCase
{
    [Obsolete("For the test platform, which fills it in.", error: false)]
    public ContractTestCase()
    {
    }

    public ContractTestCase(
        IMessageSink messages, ITestFrameworkDiscoveryOptions options, ITestMethod test, object[]? arguments)
        : base(messages, options.MethodDisplayOrDefault(), options.MethodDisplayOptionsOrDefault(), test, arguments)
    {
    }

    protected override string GetSkipReason(IAttributeInfo factAttribute)
        => NeedsAttribute.ReasonToSkip(TestMethod) ?? base.GetSkipReason(factAttribute);
}
