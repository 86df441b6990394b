using System.Diagnostics;
using Npgsql;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.PostgreSql;

/// <summary>
/// The network between registry and database fails: every route says so and when to come back, and when it is good again
/// everything is as it was.
/// </summary>
public sealed class LinkFaultTests
{
    [PostgreSqlTheory]
    [InlineData(LinkState.Refusing)]
    [InlineData(LinkState.Silent)]
    [InlineData(LinkState.Cutting)]
    public async Task Every_route_answers_503_with_Retry_After_and_goes_on_afterwards(LinkState fault)
    {
        var place = new NpgsqlConnectionStringBuilder(await SharedPostgreSql.UseSchemaAsync($"link_{Guid.NewGuid():N}"));
        await using var link = new FaultyLink(place.Host!, place.Port);
        (place.Host, place.Port, place.Timeout, place.CommandTimeout, place.CancellationTimeout) = ("127.0.0.1", link.Port, 1, 1, -1);
        await using var registry = await RegistryFactory.StartAsync(
            RegistryFactory.OnPostgreSql(), ("Database:ConnectionString", place.ConnectionString));
        var client = registry.Client;
        var image = await client.PushImageAsync("team/app", "v1");
        var blob = await client.PushBlobAsync("team/app", TestContent.Random(1000));
        var part = TestContent.Random(3000);
        var upload = (await client.PatchChunkAsync(await client.StartUploadAsync("team/app"), part.Bytes, 0, 1000)).Expect(202).Location;
        var other = ManifestBuilder.Index().Annotation("n", "2").Build();

        link.Become(fault);
        Assert.Equal(200, (await client.GetAsync("/healthz/live")).Status);
        var answers = await Task.WhenAll(
            client.GetAsync("/healthz/ready"),
            client.GetAsync("/v2/team/app/manifests/v1"), client.HeadAsync("/v2/team/app/manifests/v1"),
            client.GetAsync($"/v2/team/app/manifests/{image.Digest}"), client.PutManifestAsync("team/app", "v1", other),
            client.DeleteAsync($"/v2/team/app/manifests/{image.Digest}"), client.DeleteAsync("/v2/team/app/manifests/v1"),
            client.GetAsync($"/v2/team/app/blobs/{blob.Digest}"), client.HeadAsync($"/v2/team/app/blobs/{blob.Digest}"),
            client.DeleteAsync($"/v2/team/app/blobs/{blob.Digest}"),
            client.PostAsync("/v2/team/app/blobs/uploads/"), client.PostAsync($"/v2/team/other/blobs/uploads/?mount={blob.Digest}&from=team/app"),
            client.GetAsync(upload), client.PatchChunkAsync(upload, part.Bytes, 1000, 1000), client.CloseAsync(upload, part.Digest),
            client.GetAsync("/v2/team/app/tags/list"), client.GetAsync($"/v2/team/app/referrers/{image.Digest}"), client.GetAsync("/v2/_catalog"),
            client.GetAsync("/v1/search?q=app"), client.GetAsync("/api/v1/repositories"));

        Assert.All(answers, answer => answer.Expect(503));
        Assert.All(answers[1..], answer => answer.ExpectHeader("Retry-After", "5").GivesNothingAway(registry));
        Assert.All(
            answers[1..].Where(answer => answer.Request.Contains("/v2/", StringComparison.Ordinal) && answer.Body.Length > 0),
            answer => Assert.Equal("UNAVAILABLE", answer.Json.GetProperty("errors")[0].GetProperty("code").GetString()));

        // Also once what is known of access has become too old to judge by: all wait for one look, not for each other's.
        await Task.Delay(TimeSpan.FromSeconds(4.5));
        var clock = Stopwatch.StartNew();
        Assert.All(
            await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => client.GetAsync("/v2/team/app/manifests/v1"))),
            answer => answer.Expect(503));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(40), $"It took {clock.Elapsed}, a time-out for each.");

        link.Become(LinkState.Good);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await client.GetAsync("/healthz/ready")).Status != 200)
            await Task.Delay(50, deadline.Token);

        // What was refused was not done, except that a claim which could not be given back first has to run out.
        Assert.Equal(image.Bytes, (await client.GetAsync("/v2/team/app/manifests/v1")).Expect(200).Body);
        Assert.Equal(blob.Bytes, (await client.GetAsync($"/v2/team/app/blobs/{blob.Digest}")).Expect(200).Body);
        (await client.GetAsync(upload)).Expect(204).ExpectHeader("Range", "0-999");
        await client.PushManifestAsync("team/app", "v1", other);
        (await client.HeadAsync("/v2/team/app/manifests/v1")).ExpectHeader("Docker-Content-Digest", other.Digest);
    }

    [PostgreSqlFact]
    public async Task A_link_that_hiccups_is_noticed_by_nobody()
    {
        var place = new NpgsqlConnectionStringBuilder(await SharedPostgreSql.UseSchemaAsync($"link_{Guid.NewGuid():N}"));
        await using var link = new FaultyLink(place.Host!, place.Port);
        (place.Host, place.Port) = ("127.0.0.1", link.Port);
        await using var registry = await RegistryFactory.StartAsync(
            RegistryFactory.OnPostgreSql(), ("Database:ConnectionString", place.ConnectionString));
        await registry.Client.PushImageAsync("team/app", "v1");

        for (var round = 0; round < 3; round++)
        {
            link.Become(LinkState.Refusing);
            var pull = registry.Client.GetAsync("/v2/team/app/manifests/v1");
            var push = registry.Client.PutManifestAsync("team/app", "v2", ManifestBuilder.Index().Annotation("n", $"{round}").Build());
            await Task.Delay(500);
            link.Become(LinkState.Good);
            (await pull).Expect(200);
            (await push).Expect(201);
        }
    }
}
