namespace Registry.Clients.Tests;

[Collection(nameof(RunningRegistry))]
public sealed class DockerTests(RunningRegistry registry, DockerDaemon docker) : IClassFixture<DockerDaemon>
{
    [ClientFact("docker", "dockerd")]
    public async Task Docker_pulls_by_tag_the_image_that_it_pushed()
    {
        var name = Name("one");
        var id = await docker.ImportAsync(name, 500_000);

        await docker.DockerAsync("push", name);
        await ForgetAsync(name);
        await docker.DockerAsync("pull", name);

        Assert.Equal(id, await IdOfAsync(name));
    }

    [ClientFact("docker", "dockerd")]
    public async Task Docker_pulls_by_digest_the_image_that_it_pushed()
    {
        var repository = registry.NewRepository("docker");
        var name = $"{registry.Host}/{repository}:one";
        var id = await docker.ImportAsync(name, 500_000);
        await docker.DockerAsync("push", name);
        var digest = await registry.DigestOfAsync(repository, "one");

        await ForgetAsync(name);
        var byDigest = $"{registry.Host}/{repository}@{digest}";
        await docker.DockerAsync("pull", byDigest);

        Assert.Equal(id, await IdOfAsync(byDigest));
    }

    [ClientFact("docker", "dockerd", "busybox")]
    public async Task Docker_pushes_an_image_that_it_built_on_a_pushed_one()
    {
        var (below, built) = (Name("base"), Name("built"));
        await docker.ImportAsync(below, 200_000);
        await docker.DockerAsync("push", below);
        var context = docker.Work.Folder($"context-{Guid.NewGuid():N}");
        File.Copy(Testing.Processes.Programs.Require("busybox"), Path.Combine(context, "busybox"));
        await File.WriteAllTextAsync(
            Path.Combine(context, "Dockerfile"),
            $"FROM {below}\nCOPY busybox /bin/busybox\nLABEL purpose=test\nENTRYPOINT [\"/bin/busybox\"]\n");

        await docker.DockerAsync("build", "--tag", built, context);
        var id = await IdOfAsync(built);
        await docker.DockerAsync("push", built);
        await ForgetAsync(built);
        await ForgetAsync(below);
        await docker.DockerAsync("pull", built);

        Assert.Equal(id, await IdOfAsync(built));
    }

    [ClientFact("docker", "dockerd")]
    public async Task Docker_pushes_the_same_image_to_a_second_repository_by_mounting()
    {
        var (first, second) = (Name("one"), Name("two"));
        var id = await docker.ImportAsync(first, 500_000);
        await docker.DockerAsync("push", first);
        await docker.DockerAsync("tag", first, second);

        var said = await docker.DockerAsync("push", second);
        await ForgetAsync(first);
        await ForgetAsync(second);
        await docker.DockerAsync("pull", second);

        Assert.Contains("Mounted from", said, StringComparison.Ordinal);
        Assert.Equal(id, await IdOfAsync(second));
    }

    [ClientFact("docker", "dockerd")]
    public async Task Docker_pushes_every_tag_of_a_repository()
    {
        var repository = registry.NewRepository("docker");
        var name = $"{registry.Host}/{repository}";
        await docker.ImportAsync($"{name}:v1", 100_000);
        await docker.ImportAsync($"{name}:v2", 100_000);

        await docker.DockerAsync("push", "--all-tags", name);

        var digests = (await registry.DigestOfAsync(repository, "v1"), await registry.DigestOfAsync(repository, "v2"));
        Assert.NotNull(digests.Item1);
        Assert.NotNull(digests.Item2);
        Assert.NotEqual(digests.Item1, digests.Item2);
    }

    [ClientFact("docker", "dockerd")]
    public async Task Docker_says_plainly_that_an_image_does_not_exist()
    {
        var pulled = await docker.Work.TryRunAsync("docker", "pull", Name("none"));

        Assert.False(pulled.Succeeded);
        Assert.Contains("not found", pulled.Error, StringComparison.Ordinal);
    }

    [ClientFact("docker", "dockerd")]
    public async Task Eight_docker_pushes_at_once_all_succeed()
    {
        var names = Enumerable.Range(0, 8).Select(i => Name($"v{i}")).ToArray();
        var id = await docker.ImportAsync(names[0], 2_000_000);
        foreach (var name in names[1..])
            await docker.DockerAsync("tag", names[0], name);

        await Task.WhenAll(names.Select(name => docker.DockerAsync("push", name)));

        foreach (var name in names)
            await ForgetAsync(name);
        foreach (var name in names)
            await docker.DockerAsync("pull", name);
        foreach (var name in names)
            Assert.Equal(id, await IdOfAsync(name));
    }

    private string Name(string tag) => $"{registry.Host}/{registry.NewRepository("docker")}:{tag}";

    private Task ForgetAsync(string name) => docker.DockerAsync("rmi", "--force", name);

    private async Task<string> IdOfAsync(string name)
        => (await docker.DockerAsync("image", "inspect", "--format", "{{.Id}}", name)).Trim();
}
