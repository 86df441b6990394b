using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Registry.Domain.Errors;

namespace Registry.Application.Tests.Manifests;

public sealed class MutatedManifestsTests
{
    private static readonly byte[][] Tokens = [.. new[]
        {
            "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "-1", "1e3", "0.5", "\"\\ud800\"", "\"\\u0000\"", "\ufeff", "\0", "\n",
            "\"config\":{}", ",\"manifests\":[]", "\"size\":", "\"digest\":\"sha256:\"", "18446744073709551616",
        }.Select(Encoding.UTF8.GetBytes)];

    [Fact]
    public async Task A_broken_manifest_is_stored_or_refused_with_the_specs_code_but_never_a_fault()
    {
        await using var registry = new UseCases();
        var (stored, refused) = (0, 0);
        var mutants = Gen.Elements(ManifestSamples.Valid.Values.ToArray()).SelectMany(sample =>
            Gen.Choose(1, 4).SelectMany(changes => Mutated(Encoding.UTF8.GetBytes(sample.Json), changes))
                .Select(content => (content, sample.ContentType)));

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000), Prop.ForAll(mutants.ToArbitrary(), mutant =>
        {
            var result = registry.SendAsync(Commands.Put(mutant.content, mutant.ContentType)).GetAwaiter().GetResult();
            if (result.TryGet(out _, out var errors))
            {
                stored++;
                return true;
            }

            refused++;
            return errors.Count is > 0 and <= 10
                && errors.All(error => error is { Code: OciErrorCode.ManifestInvalid, Reason: ErrorReason.Invalid });
        }));

        Assert.True(stored > 100 && refused > 100, $"{stored} stored, {refused} refused: the mutations are too mild or too wild.");
    }

    private static Gen<byte[]> Mutated(byte[] content, int changes) => changes == 0
        ? Gen.Constant(content)
        : Gen.Choose(0, content.Length).SelectMany(at => Change(content, at)).SelectMany(changed => Mutated(changed, changes - 1));

    private static Gen<byte[]> Change(byte[] content, int at)
    {
        var behind = content[Math.Min(at + 1, content.Length)..];
        return Gen.OneOf(
            Gen.Choose(0, 7).Select(bit => at < content.Length ? [.. content[..at], (byte)(content[at] ^ (1 << bit)), .. behind] : content),
            Gen.Choose(0, 255).Select(value => (byte[])[.. content[..at], (byte)value, .. behind]),
            Gen.Constant(content[..at]),
            Gen.Choose(1, 40).Select(length => (byte[])[.. content[..at], .. content[Math.Min(at + length, content.Length)..]]),
            Gen.Choose(1, 40).Select(length => (byte[])[.. content[..at], .. content[Math.Max(0, at - length)..]]),
            Gen.Elements(Tokens).Select(token => (byte[])[.. content[..at], .. token, .. content[at..]]));
    }
}
