using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Deploy;

/// <summary>The unit of systemd, alone and with the settings of one of several nodes.</summary>
public sealed class ServiceUnitTests : IDisposable
{
    private const string Unit = "registry.service";

    private readonly ClientWorkspace _work = new();

    public ServiceUnitTests()
    {
        // systemd wants the program to be there.
        new ShippedFile($"deploy/{Unit}").With("/opt/registry/Registry.Web", "/bin/true").SaveAs(_work.Path(Unit));
        _work.Set("SYSTEMD_UNIT_PATH", $"{_work.Folder(".")}:");
    }

    public void Dispose() => _work.Dispose();

    [ClientFact("systemd-analyze")]
    public async Task Systemd_understands_every_line_of_the_unit() => await VerifyAsync();

    [ClientFact("systemd-analyze")]
    public async Task Systemd_understands_every_line_of_what_makes_it_one_of_several_nodes()
    {
        AddClusterSettings();
        await VerifyAsync();
    }

    [ClientFact("systemd-analyze")]
    public async Task The_unit_exposes_little_of_the_machine()
    {
        AddClusterSettings();
        // 10 is a service that may do everything, 0 one that may do nothing.
        await _work.RunAsync(
            "systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", _work.Path(Unit));
    }

    private void AddClusterSettings()
    {
        _work.Folder($"{Unit}.d");
        new ShippedFile($"deploy/{Unit}.d/cluster.conf").SaveAs(_work.Path($"{Unit}.d/cluster.conf"));
    }

    // What it does not know it passes over with a warning, and succeeds.
    private async Task VerifyAsync()
    {
        var result = await _work.TryRunAsync("systemd-analyze", "verify", "--man=no", _work.Path(Unit));
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
    }
}
