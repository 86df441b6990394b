using Registry.Application.Stores;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Tests.Database;
using Registry.Infrastructure.Tests.FileSystem;
using Registry.Infrastructure.Uploads;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Uploads;

/// <summary>What abandoned uploads leave behind goes, and nothing that is still in use.</summary>
public sealed class UploadPurgeTests : IAsyncLifetime
{
    private static readonly TimeSpan Expiry = new UploadOptions().Expiry;

    private readonly TemporaryFolder _data = new();
    private readonly ManualTime _time = new();
    private Instance _instance = null!;

    private IUploadStaging Staging => _instance.Get<IBlobStores>().Find("default")!.Staging;

    private IUploadSessions Sessions => _instance.Get<IUploadSessions>();

    public async Task InitializeAsync() => _instance = await Instance.StartAsync(_data.Path, _time);

    public async Task DisposeAsync()
    {
        await _instance.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task An_expired_session_goes_with_its_bytes()
    {
        var id = await UploadAsync("abandoned");

        _time.Advance(Expiry + TimeSpan.FromSeconds(1));
        var kept = await UploadAsync("in use");

        Assert.Equal(new(Sessions: 1, Leftovers: 0), await PurgeAsync());
        Assert.Equal([kept.ToString()], Staged());
        Assert.False(await Sessions.ExistsAsync(id, CancellationToken.None));
        Assert.True(await Sessions.ExistsAsync(kept, CancellationToken.None));
        Assert.Equal(new(0, 0), await PurgeAsync());
    }

    [Fact]
    public async Task Expired_sessions_go_however_many_there_are()
    {
        for (var number = 0; number < 250; number++)
            await Sessions.StartAsync(Session(_time.Now.AddSeconds(number)), CancellationToken.None);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(new(Sessions: 250, Leftovers: 0), await PurgeAsync());
    }

    [Fact]
    public async Task Bytes_without_a_session_go_once_they_are_old()
    {
        var (old, young) = (Leave(age: Expiry + TimeSpan.FromMinutes(1)), Leave(age: Expiry - TimeSpan.FromMinutes(1)));
        Assert.Equal(new(Sessions: 0, Leftovers: 1), await PurgeAsync());
        Assert.Equal([young.ToString()], Staged());
        Assert.NotEqual(old, young);
    }

    [Fact]
    public async Task Old_bytes_of_an_open_session_stay()
    {
        var id = await UploadAsync("patient");
        Touch(id, Expiry * 2);
        Assert.Equal(new(0, 0), await PurgeAsync());
        Assert.Equal([id.ToString()], Staged());
    }

    [Fact]
    public async Task Leftovers_that_are_being_written_to_are_left_alone()
    {
        var id = Leave(age: Expiry * 2);
        var writing = Session(DateTimeOffset.MaxValue) with { Id = id };
        await using (await Staging.OpenAsync(writing, CancellationToken.None))
            Assert.Equal(new(0, 0), await PurgeAsync());
        Assert.Equal([id.ToString()], Staged());
        Assert.Equal(new(0, 1), await PurgeAsync());
    }

    [Fact]
    public async Task An_expired_session_that_is_being_written_to_is_left_alone_and_can_be_finished()
    {
        var id = await UploadAsync("a slow client ");
        await using (var claim = (await Sessions.ClaimAsync(App, Alice.Name, id, CancellationToken.None))!)
        await using (var staged = await Staging.OpenAsync(claim.Session, CancellationToken.None))
        {
            _time.Advance(Expiry * 2); // while its chunk is on its way
            Assert.Equal(new(0, 0), await PurgeAsync());

            var appended = await staged.AppendAsync(new MemoryStream("ends"u8.ToArray()), DigestAlgorithm.Sha256, final: true, CancellationToken.None);
            Assert.True(await Sessions.AdvanceAsync(claim.Session, appended!, _time.Now + Expiry, CancellationToken.None));
        }

        Assert.Equal(new(0, 0), await PurgeAsync());
        Assert.Equal(
            DigestOf("a slow client ends"),
            await _instance.SendAsync(new CompleteUploadCommand(App, Alice, id, DigestOf("a slow client ends"), null, null, null)));
    }

    [Fact]
    public async Task A_session_of_a_store_that_is_no_longer_configured_goes()
    {
        await Sessions.StartAsync(Session(_time.Now.AddHours(1)) with { Store = "gone" }, CancellationToken.None);
        _time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(new(Sessions: 1, Leftovers: 0), await PurgeAsync());
    }

    [Fact]
    public async Task Strangers_in_the_staging_folder_stay()
    {
        var stranger = Path.Combine(_data.Path, "blobs", "_uploads", "README");
        await File.WriteAllTextAsync(stranger, "mine");
        File.SetLastWriteTimeUtc(stranger, _time.Now.UtcDateTime - (Expiry * 2));
        Assert.Equal(new(0, 0), await PurgeAsync());
        Assert.Equal(["README"], Staged());
    }

    [Fact]
    public async Task The_server_purges_when_it_starts()
    {
        Leave(age: Expiry * 2);
        await _instance.RunAsync<UploadPurge>();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (Staged().Count > 0)
            await Task.Delay(10, deadline.Token);
    }

    private async Task<UploadId> UploadAsync(string content)
    {
        var started = await _instance.SendAsync(new StartUploadCommand(App, Alice, DigestAlgorithm.Sha256));
        await using var body = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content));
        await _instance.SendAsync(new AppendToUploadCommand(App, Alice, started.Id, null, body, null));
        Touch(started.Id, TimeSpan.Zero);
        return started.Id;
    }

    private UploadId Leave(TimeSpan age)
    {
        var id = UploadId.Create();
        File.WriteAllText(PathOf(id), "left by a crash");
        Touch(id, age);
        return id;
    }

    private void Touch(UploadId id, TimeSpan age) => File.SetLastWriteTimeUtc(PathOf(id), (_time.Now - age).UtcDateTime);

    private string PathOf(UploadId id) => _data.Combine("blobs", "_uploads", $"{id}.upload");

    private List<string> Staged() => 
        [.. FileSystemStores.FilesBelow(_data.Combine("blobs", "_uploads")).Select(file => Path.GetFileNameWithoutExtension(file))];

    private Task<PurgedUploads> PurgeAsync() => _instance.SendAsync(new PurgeUploadsCommand());
}
