using System.Globalization;
using System.Text.Json;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.Commands;

[Trait(Backend.Trait, Backend.Neither)]
public sealed class LogTests : IDisposable
{
    private readonly WorkFolder _folder = new("log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait(Backend.Trait, Backend.Folder)]
    public async Task The_start_says_where_it_listens_and_where_the_data_is()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        var line = Assert.Single(await LinesAsync(server, "listens on"));
        Assert.Equal("information", line.GetProperty("level").GetString());
        Assert.Contains($":{server.Client.Address.Port}", Message(line), StringComparison.Ordinal);
        Assert.Contains(_folder.Folder("data"), Message(line), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_request_is_one_line_with_its_id()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        foreach (var (method, path, status) in new[] { ("GET", "/v2/", 200), ("GET", "/v2/none/tags/list", 404), ("POST", "/v2/a/blobs/uploads/", 202) })
        {
            var id = (await server.Client.SendAsync(method, path)).Expect(status).Header("X-Request-Id")!;
            var line = Assert.Single(await LinesAsync(server, id));
            Assert.Equal(
                (id, method, path, status),
                (Text(line, "requestId"), Text(line, "method"), Text(line, "path"), line.GetProperty("status").GetInt32()));
            Assert.Equal("127.0.0.1", Text(line, "client"));
            Assert.True(line.GetProperty("milliseconds").GetDouble() >= 0);
            Assert.True(DateTimeOffset.Parse(Text(line, "time"), CultureInfo.InvariantCulture) <= DateTimeOffset.UtcNow);
        }
    }

    [Fact]
    [Trait(Backend.Trait, Backend.Folder)]
    public async Task Whatever_is_logged_on_behalf_of_a_request_has_its_id()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        Directory.Delete(Path.Combine(_folder.Path, "data/blobs"), recursive: true);

        var blob = TestContent.Random(10);
        var answer = (await server.Client.PostAsync($"/v2/a/blobs/uploads/?digest={blob.Digest}", blob.Bytes)).Expect(503);

        var lines = await LinesAsync(server, answer.Header("X-Request-Id")!, atLeast: 2);
        Assert.Equal(2, lines.Count);
        Assert.StartsWith("Storage failed", Message(lines[0]), StringComparison.Ordinal);
        Assert.Equal("error", Text(lines[0], "level"));
        Assert.Contains("Exception", Text(lines[0], "exception"), StringComparison.Ordinal);
        Assert.Equal(("POST", "/v2/a/blobs/uploads/"), (Text(lines[1], "method"), Text(lines[1], "path")));
        Assert.Equal(503, lines[1].GetProperty("status").GetInt32());
    }

    [Theory]
    [InlineData]
    [InlineData("--verbose")]
    public async Task Neither_queries_nor_credentials_are_logged(params string[] verbose)
    {
        await using var server = await ServerProcess.StartAsync(_folder, verbose);
        (string, string)[] headers = [("Authorization", "Basic SECRET-1"), ("Cookie", "session=SECRET-2"), ("X-Api-Key", "SECRET-3")];
        await server.Client.GetAsync("/v2/_catalog?token=SECRET-4", headers);
        await server.Client.PostAsync("/v2/a/blobs/uploads/?digest=SECRET-5", "SECRET-6"u8.ToArray(), headers);
        await server.Client.GetAsync("/api/v1/repositories?prefix=SECRET-7", headers);
        await server.Client.GetAsync("/elsewhere?password=SECRET-8", headers);
        var last = await server.Client.GetAsync("/v2/?access_token=SECRET-9", headers);

        Assert.NotEmpty(await LinesAsync(server, last.Header("X-Request-Id")!));
        await server.StopAsync();
        Assert.DoesNotContain("SECRET", server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_cannot_break_a_line()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        var id = (await server.Client.GetAsync("/v2/a%0Ab%22%1B/tags/list")).Expect(400).Header("X-Request-Id")!;
        Assert.Equal("/v2/a%0Ab%22%1B/tags/list", Text(Assert.Single(await LinesAsync(server, id)), "path"));
    }

    [Fact]
    public async Task Verbose_tells_more()
    {
        await using (var plain = await ServerProcess.StartAsync(_folder))
        {
            await plain.StopAsync();
            Assert.DoesNotContain(plain.Log, IsFrameworks);
        }

        await using var verbose = await ServerProcess.StartAsync(_folder, "--verbose");
        await verbose.StopAsync();
        Assert.Contains(verbose.Log, IsFrameworks);
    }

    private static bool IsFrameworks(JsonElement line) => Text(line, "category").StartsWith("Microsoft.", StringComparison.Ordinal);

    private static string Message(JsonElement line) => Text(line, "message");

    private static string Text(JsonElement line, string member) => line.GetProperty(member).GetString()!;

    /// <summary>The lines that hold a text; they are written a moment after the answer.</summary>
    private static async Task<List<JsonElement>> LinesAsync(ServerProcess server, string text, int atLeast = 1)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var lines = server.Log.Where(line => line.GetRawText().Contains(text, StringComparison.Ordinal)).ToList();
            if (lines.Count >= atLeast)
                return lines;
            await Task.Delay(20, deadline.Token);
        }
    }
}
