using Registry.Domain.Manifests;
using Registry.Infrastructure.Database;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteManifestOutboxTests : ManifestOutboxContract<SqliteTestDatabase>;

public sealed class PostgreSqlManifestOutboxTests : ManifestOutboxContract<PostgreSqlTestDatabase>;

public abstract class ManifestOutboxContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    [Fact]
    public async Task A_push_notes_the_manifest_and_its_tags_as_they_are_now()
    {
        var image = await PushAsync(Plain("image").Tagged("v1", "latest"));
        var later = await PushAsync(Plain("later").Tagged("latest"));

        var notes = await ReadAsync();

        Assert.Equal(
            [(null, image.Digest), (null, later.Digest), ("latest", later.Digest), ("v1", image.Digest)],
            notes.Select(note => (note.Tag, note.Digest!)).OrderBy(note => note.Tag, StringComparer.Ordinal).ThenBy(note => note.Item2 == later.Digest));
        Assert.All(notes, note => Assert.Equal(App, note.Repository));
    }

    [Fact]
    public async Task Notes_of_the_same_thing_are_one()
    {
        for (var time = 0; time < 5; time++)
        {
            await PushAsync(Plain("image").Tagged("v1"));
            await Tags.DeleteAsync(App, Tag.Parse("v1"), Alice, CancellationToken.None);
        }

        Assert.Equal(2, (await ReadAsync()).Count);
    }

    [Fact]
    public async Task A_deleted_tag_is_noted_without_a_digest()
    {
        await PushAsync(Plain("image").Tagged("v1"));
        await DrainAsync();
        await Tags.DeleteAsync(App, Tag.Parse("v1"), Alice, CancellationToken.None);
        Assert.Equal(("v1", null), Assert.Single(await ReadAsync()) is var note ? (note.Tag, note.Digest) : default);
    }

    [Fact]
    public async Task A_deleted_manifest_is_noted_with_the_tags_that_went_with_it()
    {
        var image = await PushAsync(Plain("image").Tagged("v1", "v2"));
        await DrainAsync();

        await Manifests.DeleteAsync(App, image.Digest, Alice, CancellationToken.None);

        Assert.Equal(
            [(null, image.Digest), ("v1", null), ("v2", null)],
            (await ReadAsync()).Select(note => (note.Tag, note.Digest)).OrderBy(note => note.Tag, StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_is_done_is_struck_out()
    {
        await PushAsync(Plain("image").Tagged("v1"));
        await DrainAsync();
        Assert.Empty(await ReadAsync());
        Assert.Equal("0", await CountsAsync("outbox"));
    }

    [Fact]
    public async Task What_changes_while_it_is_worked_on_stays()
    {
        await PushAsync(Plain("before").Tagged("v1"));
        var working = await ReadAsync();

        var after = await PushAsync(Plain("after").Tagged("v1"));
        await Outbox.RemoveAsync(working, CancellationToken.None);

        var left = await ReadAsync();
        Assert.Equal(2, left.Count); // the tag and the new manifest
        Assert.All(left, note => Assert.Equal(after.Digest, note.Digest));
    }

    [Fact]
    public async Task The_oldest_notes_come_first_and_no_more_than_asked_for()
    {
        for (var number = 0; number < 5; number++)
            await PushAsync(Plain($"{number}"));
        var first = await Outbox.ReadAsync(0, 2, CancellationToken.None);
        Assert.Equal([DigestOf("0"), DigestOf("1")], first.Select(note => note.Digest));

        Assert.Equal([DigestOf("2"), DigestOf("3")], (await Outbox.ReadAsync(first[^1].Id, 2, CancellationToken.None)).Select(note => note.Digest));
        await Outbox.RemoveAsync(first, CancellationToken.None);
        Assert.Equal(DigestOf("2"), (await Outbox.ReadAsync(0, 2, CancellationToken.None))[0].Digest);
    }

    [Fact]
    public async Task Whoever_waits_is_woken_by_a_change()
    {
        var waiting = Outbox.WaitAsync(TimeSpan.FromMinutes(5), CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        await PushAsync(Plain("image").Tagged("v1"));
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));

        waiting = Outbox.WaitAsync(TimeSpan.FromMinutes(5), CancellationToken.None);
        await Tags.DeleteAsync(App, Tag.Parse("v1"), Alice, CancellationToken.None);
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Whoever_waits_in_vain_waits_no_longer_than_he_likes()
        => await Outbox.WaitAsync(TimeSpan.FromMilliseconds(1), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

    [Fact]
    public async Task A_note_that_one_worker_has_is_left_to_him_until_he_should_be_done()
    {
        await PushAsync(Plain("image"));
        var notes = await ReadAsync();
        Assert.Equal(notes, await Outbox.ClaimAsync(notes, CancellationToken.None));

        Assert.Empty(await ReadAsync());
        Assert.Empty(await Outbox.ClaimAsync(notes, CancellationToken.None));

        Time.Advance(ManifestOutbox.Claim);
        Assert.Equal(notes, await Outbox.ClaimAsync(await ReadAsync(), CancellationToken.None));
    }

    [Fact]
    public async Task A_note_that_changed_since_it_was_read_is_not_claimed_with_what_it_said_then()
    {
        await PushAsync(Plain("before").Tagged("v1"));
        var notes = await ReadAsync();
        await PushAsync(Plain("after").Tagged("v1"));
        Assert.DoesNotContain(await Outbox.ClaimAsync(notes, CancellationToken.None), note => note.Tag is not null);
    }

    [Fact]
    public async Task What_changed_while_it_was_worked_on_and_what_is_given_back_can_be_claimed_at_once()
    {
        await PushAsync(Plain("before").Tagged("v1"));
        var working = await Outbox.ClaimAsync(await ReadAsync(), CancellationToken.None);
        var after = await PushAsync(Plain("after").Tagged("v1"));
        await Outbox.RemoveAsync(working, CancellationToken.None);
        var again = await Outbox.ClaimAsync(await ReadAsync(), CancellationToken.None);
        Assert.Equal([after.Digest, after.Digest], again.Select(note => note.Digest)); // the tag and the new manifest

        await Outbox.GiveBackAsync(again, CancellationToken.None);
        Assert.Equal(2, (await Outbox.ClaimAsync(await ReadAsync(), CancellationToken.None)).Count);
    }

    [Fact]
    public async Task A_worker_who_took_too_long_may_have_undone_a_newer_copy_so_it_is_looked_at_again()
    {
        await PushAsync(Plain("before").Tagged("v1"));
        var slow = await Outbox.ClaimAsync(await ReadAsync(), CancellationToken.None);
        Time.Advance(ManifestOutbox.Claim);
        var after = await PushAsync(Plain("after").Tagged("v1"));
        await Outbox.RemoveAsync(await Outbox.ClaimAsync(await ReadAsync(), CancellationToken.None), CancellationToken.None);
        Assert.Empty(await ReadAsync());

        await Outbox.RemoveAsync(slow, CancellationToken.None);

        Assert.Contains(await ReadAsync(), note => note.Tag == "v1" && note.Digest == after.Digest);
    }

    private Task<IReadOnlyList<OutboxEntry>> ReadAsync() => Outbox.ReadAsync(0, 100, CancellationToken.None);

    private async Task DrainAsync() => await Outbox.RemoveAsync(await ReadAsync(), CancellationToken.None);
}
