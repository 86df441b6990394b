using Registry.Application.Referrers;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteReferrerIndexTests : ReferrerIndexContract<SqliteTestDatabase>;

public sealed class PostgreSqlReferrerIndexTests : ReferrerIndexContract<PostgreSqlTestDatabase>;

public abstract class ReferrerIndexContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    private static readonly Digest Subject = DigestOf("subject");

    [Fact]
    public async Task Referrers_are_described_as_they_were_pushed()
    {
        var sbom = await PushAsync(Plain("sbom").OfType("application/x.sbom").Annotated("""{"a":"ä"}""").WithSubject(Subject));
        var bare = await PushAsync(Plain("bare").WithSubject(Subject));

        var page = await ListAsync();

        Assert.Equal(
            new Referrer[]
            {
                new("application/vnd.oci.image.index.v1+json", sbom.Digest, 4, "application/x.sbom", """{"a":"ä"}"""),
                new("application/vnd.oci.image.index.v1+json", bare.Digest, 4, null, null),
            }.OrderBy(referrer => referrer.Digest.ToString(), StringComparer.Ordinal),
            page.Items);
        Assert.False(page.More);
    }

    [Fact]
    public async Task Nothing_unknown_has_referrers()
    {
        Assert.Empty((await ListAsync()).Items);
        await PushAsync(Plain("signature").WithSubject(Subject));
        Assert.Empty((await Referrers.ListAsync(Other, Subject, null, new(10, null), CancellationToken.None)).Items);
        Assert.Empty((await Referrers.ListAsync(App, DigestOf("another"), null, new(10, null), CancellationToken.None)).Items);
    }

    [Fact]
    public async Task Referrers_need_no_subject_and_go_when_they_are_deleted()
    {
        var image = await PushAsync(Plain("subject"));
        var signature = await PushAsync(Plain("signature").WithSubject(Subject));
        await Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None);
        Assert.Single((await ListAsync()).Items);
        await Manifests.DeleteAsync(App, signature.Digest, Alice, CancellationToken.None);
        Assert.Empty((await ListAsync()).Items);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(20)]
    [InlineData(21)]
    public async Task Pages_join_to_the_whole_list_in_the_order_of_the_digests(int size)
    {
        var pushed = new List<string>();
        for (var number = 0; number < 20; number++)
        {
            var algorithm = number % 3 == 0 ? DigestAlgorithm.Sha512 : DigestAlgorithm.Sha256;
            var referrer = Plain($"{number}").As(DigestOf($"{number}", algorithm)).WithSubject(Subject);
            pushed.Add((await PushAsync(referrer)).Digest.ToString());
        }

        Assert.Equal(pushed.Order(StringComparer.Ordinal), await ListAllAsync(size, artifactType: null));
    }

    [Fact]
    public async Task A_filter_leaves_whole_pages_of_its_type()
    {
        var wanted = new List<string>();
        for (var number = 0; number < 20; number++)
        {
            var type = number % 2 == 0 ? "application/x.sbom" : "application/x.signature";
            var referrer = await PushAsync(Plain($"{number}").OfType(type).WithSubject(Subject));
            if (number % 2 == 0)
                wanted.Add(referrer.Digest.ToString());
        }

        Assert.Equal(wanted.Order(StringComparer.Ordinal), await ListAllAsync(3, "application/x.sbom"));
        Assert.Equal(3, (await ListAsync(3, artifactType: "application/x.sbom")).Items.Count);
        Assert.Empty((await ListAsync(artifactType: "application/x.SBOM")).Items);
        Assert.Empty((await ListAsync(artifactType: "application/x")).Items);
    }

    [Fact]
    public async Task A_page_begins_behind_a_digest_that_does_not_exist()
    {
        var digests = new List<Digest>();
        for (var number = 0; number < 5; number++)
            digests.Add((await PushAsync(Plain($"{number}").WithSubject(Subject))).Digest);
        digests.Sort((a, b) => string.CompareOrdinal(a.ToString(), b.ToString()));

        await Manifests.DeleteAsync(App, digests[2], Alice, CancellationToken.None);

        Assert.Equal(digests[3..], (await ListAsync(10, digests[2])).Items.Select(referrer => referrer.Digest));
    }

    [Fact]
    public async Task Huge_annotations_end_a_page_early_and_no_entry_is_lost()
    {
        var huge = $$"""{"a":"{{new string('x', 900_000)}}"}""";
        var pushed = new List<string>();
        for (var number = 0; number < 5; number++)
            pushed.Add((await PushAsync(Plain($"{number}").Annotated(huge).WithSubject(Subject))).Digest.ToString());

        var first = await ListAsync(100);

        Assert.Equal(2, first.Items.Count);
        Assert.True(first.More);
        Assert.Equal(pushed.Order(StringComparer.Ordinal), await ListAllAsync(100, artifactType: null));
    }

    [Fact]
    public async Task Even_one_entry_that_is_huge_by_itself_is_a_page()
    {
        await PushAsync(Plain("huge").Annotated($$"""{"a":"{{new string('x', 3_000_000)}}"}""").WithSubject(Subject));
        await PushAsync(Plain("other").WithSubject(Subject));
        Assert.Equal(2, (await ListAllAsync(100, artifactType: null)).Count);
    }

    private Task<Page<Referrer>> ListAsync(int size = 100, Digest? last = null, string? artifactType = null)
        => Referrers.ListAsync(App, Subject, artifactType, new(size, last?.ToString()), CancellationToken.None);

    private async Task<List<string>> ListAllAsync(int size, string? artifactType)
    {
        var (all, last) = (new List<string>(), (Digest?)null);
        for (var more = true; more;)
        {
            var page = await ListAsync(size, last, artifactType);
            Assert.InRange(page.Items.Count, 1, size);
            all.AddRange(page.Items.Select(referrer => referrer.Digest.ToString()));
            (last, more) = (page.Items[^1].Digest, page.More);
        }

        return all;
    }
}
