using System.Diagnostics;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Export;

/// <summary>
/// Export-SecureAppAuditLog is stopped exactly where it gives a finished part its name. The module is the one that ships; the
/// C library's rename is held by a library that is loaded before it. The order of events is the proof: the rename is
/// reached, the stop returns, the rename is let go, the manifest is written.
/// </summary>
public sealed class RenameStopTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;

    [Fact]
    public void A_stop_at_the_rename_leaves_whole_files_and_a_manifest_that_says_so()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "LD_PRELOAD is Linux's.");
        string library = Path.Combine(_folder, "hold_rename.so");
        string source = Path.Combine(Repository.Root, "tests", "engine", "Export", "hold_rename.c");
        Tool(Environment.GetEnvironmentVariable("CC") ?? "cc", "-shared", "-fPIC", "-o", library, source, "-ldl");
        Tool("mkfifo", Fifo("reached"), Fifo("go"), Fifo("written"));
        string output = Path.Combine(_folder, "audit");
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "300");
        using ChildEngine child = ChildEngine.StartWith(
            [("LD_PRELOAD", library), ("SECUREAPP_TEST_RENAME", _folder)],
            """
            param($module, $login, $manage, $ca, $application, $secret, $tenant, $folder)
            Import-Module $module
            $null = Add-SecureAppEnvironment -Name Held -LoginEndpoint $login -GraphEndpoint $login -ManagementEndpoint $manage -CertificatePath $ca
            $credential = @{ appId = $application; secret = $secret }
            Export-SecureAppAuditLog $tenant $folder -Environment Held -AppOnly -Credential $credential -StartTime ([datetime]::UtcNow.AddDays(-6.9))
            'ended'
            """,
            Repository.Manifest,
            sandbox.Facts.Endpoints["login"],
            sandbox.Facts.Endpoints["manage"],
            sandbox.Facts.CertificatePath,
            sandbox.Facts.ApplicationId,
            sandbox.Facts.Secret,
            sandbox.Facts.Tenants[0].TenantId,
            output);

        Meet("reached", FileAccess.Read);
        child.Stop();
        Assert.Equal("stopped", child.ReadLine());
        Assert.Empty(Parts(output));
        Meet("go", FileAccess.Write);
        Meet("written", FileAccess.Read);

        string written = Assert.Single(Directory.GetFiles(output, "manifest.json", SearchOption.AllDirectories));
        JsonNode manifest = JsonNode.Parse(File.ReadAllText(written))!;
        Assert.False(manifest["complete"]!.GetValue<bool>());
        Assert.Equal("stopped", manifest["reason"]!.GetValue<string>());
        long lines = 0;
        foreach (string part in Parts(output))
        {
            string text = File.ReadAllText(part);
            Assert.EndsWith("\n", text);
            string[] records = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.All(records, record => Assert.NotNull(JsonNode.Parse(record)));
            lines += records.Length;
        }

        Assert.Equal(lines, manifest["records"]!.GetValue<long>());
        Assert.Equal(300, lines);
    }

    public void Dispose()
    {
        // What the export wrote; a pipe beside it would be read for ever.
        string output = Path.Combine(_folder, "audit");
        if (Directory.Exists(output))
        {
            Recorder.HearAndDelete(output);
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static string[] Parts(string folder) => Directory.GetFiles(folder, "part-*", SearchOption.AllDirectories);

    private string Fifo(string name) => Path.Combine(_folder, name);

    /// <summary>Returns when the other side is there as well.</summary>
    private void Meet(string name, FileAccess access)
    {
        Task open = Task.Run(() => new FileStream(Fifo(name), FileMode.Open, access, FileShare.ReadWrite, bufferSize: 0).Dispose());
        Assert.True(open.Wait(s_limit), $"nobody came to '{name}'");
    }

    private static void Tool(string program, params string[] arguments) =>
        Assert.Equal(0, Within.Run(new ProcessStartInfo(program, arguments)).Exit);
}
