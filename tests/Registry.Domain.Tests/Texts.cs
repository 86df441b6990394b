using FsCheck;
using FsCheck.Fluent;

namespace Registry.Domain.Tests;

/// <summary>Strings to try parsers on.</summary>
internal static class Texts
{
    private static readonly Config Thorough = Config.QuickThrowOnFailure.WithMaxTest(3000);

    // Letters and separators of all grammars, and what slips through careless ones.
    private static readonly Gen<char> Characters
        = Gen.Elements("abz019._-_-/:+;= \t\n\r\0AZéß٣\u0661\u200b\ud800\uff11%\\'\"".ToCharArray());

    /// <summary>Any string, null included.</summary>
    public static void ForAny(Func<string?, bool> holds) => Check.One(Thorough, Prop.ForAll<string>(text => holds(text)));

    /// <summary>Strings that are one of <paramref name="samples"/> or up to three changes away from it.</summary>
    public static void ForNear(string[] samples, Func<string, bool> holds)
        => Check.One(Thorough, Prop.ForAll(Near(Gen.Elements(samples)).ToArbitrary(), holds));

    /// <summary>Strings that <paramref name="from"/> makes, unchanged or up to three changes away.</summary>
    public static void ForNear(Gen<string> from, Func<string, bool> holds)
        => Check.One(Thorough, Prop.ForAll(Near(from).ToArbitrary(), holds));

    private static Gen<string> Near(Gen<string> from)
        => from.SelectMany(text => Gen.Choose(0, 3).SelectMany(changes => Changed(text, changes)));

    private static Gen<string> Changed(string text, int changes) => changes == 0
        ? Gen.Constant(text)
        : Gen.Choose(0, text.Length).SelectMany(at => Characters.SelectMany(with => Gen.Elements(
            text.Insert(at, with.ToString()),
            text[..at] + text[Math.Min(at + 1, text.Length)..],
            text[..at] + with + text[Math.Min(at + 1, text.Length)..])))
            .SelectMany(changed => Changed(changed, changes - 1));
}
