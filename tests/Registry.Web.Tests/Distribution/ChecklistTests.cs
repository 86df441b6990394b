using System.Reflection;
using System.Text.RegularExpressions;

namespace Registry.Web.Tests.Distribution;

/// <summary>
/// Every line of the distribution specification has a test whose name begins with the line's number: section, point, line within
/// the section, in the order of the specification's own chapters (names, support, pull, push, discovery, deletion, the rest).
/// </summary>
public sealed partial class ChecklistTests
{
    private static readonly string[] Lines =
    [
        .. Section(1, 7), .. Section(2, 3), .. Section(3, 9), .. Section(4, 6), .. Section(5, 8), .. Section(6, 10),
        .. Section(7, 15),
        .. Section(8, 7), .. Section(9, 17), .. Section(10, 10), .. Section(11, 13), .. Section(12, 8),
        .. Section(13, 8),
    ];

    [Fact]
    public void Every_line_of_the_specification_has_a_test()
        => Assert.Empty(Lines.Except(Numbers().Select(test => test.Number)));

    [Fact]
    public void Every_number_is_a_line_of_the_specification_and_stands_in_its_section()
        => Assert.All(Numbers(), test =>
        {
            Assert.Contains(test.Number, Lines);
            Assert.StartsWith($"Section{int.Parse(test.Number.Split('.')[0]):00}", test.Class,
                StringComparison.Ordinal);
        });

    private static IEnumerable<(string Number, string Class)> Numbers()
        => from type in typeof(ChecklistTests).Assembly.GetTypes()
           from method in type.GetMethods()
           let number = Leading().Match(method.GetCustomAttribute<FactAttribute>()?.DisplayName ?? "")
           where number.Success
           select (number.Groups[1].Value, type.Name);

    private static IEnumerable<string> Section(int section, int lines) => Enumerable.Range(1, lines)
        .Select(line => $"{section}.{line}");

    [GeneratedRegex(@"^([0-9]+\.[0-9]+) ")]
    private static partial Regex Leading();
}
