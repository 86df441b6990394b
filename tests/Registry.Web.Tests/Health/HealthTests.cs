namespace Registry.Web.Tests.Health;

public sealed class HealthTests
{
    [Theory]
    [InlineData("/healthz/live")]
    [InlineData("/healthz/startup")]
    [InlineData("/healthz/ready")]
    public async Task A_running_server_is_well_and_says_so_to_everybody(string path)
    {
        await using var registry = await RegistryFactory.StartAsync(("Access:Anonymous", "None"));
        var answer = (await registry.Client.GetAsync(path)).Expect(200);
        Assert.Equal("ok", answer.Json.GetProperty("status").GetString());
        Assert.Equal(404, (await registry.Client.GetAsync($"{path}er")).Status);
    }

    [Fact]
    public async Task Readiness_names_its_parts()
    {
        await using var registry = await RegistryFactory.StartAsync();
        var parts = (await registry.Client.GetAsync("/healthz/ready")).Expect(200).Json.GetProperty("parts").EnumerateArray();
        Assert.Equal(["database", "stores"], parts.Select(part => part.GetProperty("part").GetString()).Order());
    }

    [Fact]
    [Trait(Backend.Trait, Backend.Folder)]
    public async Task A_server_whose_store_has_gone_is_alive_but_not_ready_until_it_is_back()
    {
        await using var registry = await RegistryFactory.StartAsync();
        var (root, away) = (Path.Combine(registry.Data, "blobs"), Path.Combine(registry.Data, "unmounted"));
        Directory.Move(root, away);

        var answer = (await registry.Client.GetAsync("/healthz/ready")).Expect(503);
        Assert.Equal("failing", answer.Json.GetProperty("status").GetString());
        var stores = answer.Json.GetProperty("parts").EnumerateArray().Single(part => part.GetProperty("part").GetString() == "stores");
        Assert.Contains("store 'default'", stores.GetProperty("problem").GetString(), StringComparison.Ordinal);
        answer.GivesNothingAway(registry);
        (await registry.Client.GetAsync("/healthz/live")).Expect(200);
        (await registry.Client.GetAsync("/healthz/startup")).Expect(200);

        Directory.Move(away, root);
        (await registry.Client.GetAsync("/healthz/ready")).Expect(200);
    }

    [Fact]
    public async Task Only_reading_is_possible()
    {
        await using var registry = await RegistryFactory.StartAsync();
        (await registry.Client.PostAsync("/healthz/ready")).Expect(405);
    }
}
