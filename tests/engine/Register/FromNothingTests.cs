using System.Diagnostics;
using System.Management.Automation.Language;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Build;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;
using SecureAppModel.EngineTests.SignIn;

namespace SecureAppModel.EngineTests.Register;

/// <summary>docs/from-nothing.md, run as it is printed.</summary>
[Collection(nameof(BrowserVariable))]
public sealed partial class FromNothingTests : IDisposable
{
    private const int Customers = 50;
    private const int MostCommands = 12;

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", $"{Customers}", "--records", "2000", "--preset", "empty");
    private readonly string _desk = Directory.CreateTempSubdirectory("secureapp-browser-").FullName;
    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-nothing-").FullName;

    private string Pipe => Path.Combine(_desk, "pipe");

    [Fact]
    public void Nine_commands_set_a_partner_up_and_change_nothing_the_second_time()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("The stand-in for a browser is a shell script.");
            return;
        }

        string script = Script();
        using Engine engine = Engine.Open().JoinCloud(_sandbox);
        engine.Set("folder", _folder);
        engine.Set("browser", Browser());
        engine.Run("$env:BROWSER = $browser; $ExecutionContext.SessionState.Path.SetLocation($folder)").Succeeded();
        var user = new Thread(SignIn) { IsBackground = true };
        user.Start();

        Outcome first = engine.Start(script).Wait().Succeeded();
        string[] records = Records();
        _sandbox.ResetStats();
        Outcome second = engine.Start(script).Wait().Succeeded();

        Assert.Equal(Customers * 3, first.Output.Count(one => Equals(one.Properties["Outcome"]?.Value?.ToString(), "Granted")));
        Assert.Equal(Truth(), records.Select(Id).Order(StringComparer.Ordinal));
        // Of the two sign-ins, only that to the own application can be mended in a registration.
        Assert.Single(first.Screen.Split('\n'), line => line.Contains("If the page says AADSTS50011", StringComparison.Ordinal));
        Assert.Contains("Nothing to change: 'Contoso SAM' in Contoso Partner", second.Screen);
        Assert.Equal(Customers * 3, second.Output.Count(one => Equals(one.Properties["Outcome"]?.Value?.ToString(), "AlreadyGranted")));
        Assert.Empty(_sandbox.Changes());
        Assert.Equal(records, Records());
        Assert.True(File.Exists(Path.Combine(_folder, "security.html")));
        Assert.Equal(
            engine.Run("(Get-SecureAppDefault).Credential.ApplicationId").Single<string>(),
            engine.Run("(Get-SecureAppCredential -Name contoso-sam -VaultName contoso -AppOnly).ApplicationId").Single<string>());
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("BROWSER", null);
        _sandbox.Dispose();
        Directory.Delete(_desk, recursive: true);
        Recorder.HearAndDelete(_folder);
    }

    /// <summary>The page's one script, which has no more commands than it may have.</summary>
    private static string Script()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "from-nothing.md"));
        string script = Assert.Single(Blocks().Matches(page).Select(match => match.Groups[1].Value));
        int commands = Parser.ParseInput(script, out _, out ParseError[] errors).FindAll(node => node is CommandAst, searchNestedScriptBlocks: true).Count();
        Assert.Empty(errors);
        Assert.InRange(commands, 1, MostCommands);
        return script;
    }

    /// <summary>A program that hands on the address that it is started with.</summary>
    [UnsupportedOSPlatform("windows")]
    private string Browser()
    {
        string browser = Path.Combine(_desk, "browser");
        Within.Run(new ProcessStartInfo("mkfifo", Pipe));
        File.WriteAllText(browser, $"#!/bin/sh\nprintf '%s' \"$1\" > '{Pipe}'\n");
        File.SetUnixFileMode(browser, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return browser;
    }

    /// <summary>The administrator signs in wherever the browser is opened: for the registration, and for the application.</summary>
    private void SignIn()
    {
        for (int times = 0; times < 2; times++)
        {
            User.Carry(_sandbox.SignIn(new { url = File.ReadAllText(Pipe) }));
        }
    }

    /// <summary>The lines of what was exported, in order.</summary>
    private string[] Records() =>
        [.. Directory.EnumerateFiles(Path.Combine(_folder, "audit"), "*.ndjson", SearchOption.AllDirectories).SelectMany(File.ReadLines).Order(StringComparer.Ordinal)];

    /// <summary>The ids of what the sandbox has in the page's six days.</summary>
    private IEnumerable<string> Truth()
    {
        DateTime today = DateTime.UtcNow.Date;
        string query = $"?start={today.AddDays(-6):s}&end={today:s}";
        return _sandbox.Facts.Tenants.SelectMany(tenant => _sandbox.RecordIds(tenant.TenantId, query)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
    }

    private static string Id(string line) => JsonNode.Parse(line)!["Id"]!.GetValue<string>();

    [GeneratedRegex("^```powershell\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
