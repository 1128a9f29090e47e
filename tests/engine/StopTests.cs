using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests;

/// <summary>
/// Every exported command that asks a service is stopped at each stage of a request. What proves the stop is the order of
/// events, not a clock: the sandbox holds the reply, the stop returns, the sandbox sees the client go away.
/// </summary>
public sealed class StopTests
{
    // An application credential: a refresh-token redemption that was sent runs on by design, to keep the new token.
    private const string Ask = """
        $application = @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; tenantId = $sandbox.PartnerTenantId }
        """;

    private static readonly Dictionary<string, (string Script, string Service)> s_asking = new()
    {
        ["Get-SecureAppAccessToken"] = ("Get-SecureAppAccessToken -Credential $application -TenantId $customer -Resource https://graph.microsoft.com", "login"),
        ["Get-GCITSAccessTokenByResource"] = ("Get-GCITSAccessTokenByResource $application $customer https://graph.microsoft.com", "login"),
        ["Get-DelegatedTenant"] = ("Get-DelegatedTenant -Credential $application", "graph"),
        ["Connect-DelegatedTenant"] = ("function Connect-MgGraph { param([securestring] $AccessToken) }; Connect-DelegatedTenant -TenantId $customer -Credential $application -Service Graph", "login"),
        ["Export-SecureAppAuditLog"] = ("Export-SecureAppAuditLog -TenantId $customer -Credential $application -Path $folder", "manage"),
        ["Get-SecureAppKeyVaultSecret"] = ("Get-SecureAppKeyVaultSecret -VaultName vault -Name any -Credential $application", "keyVault"),
        ["Set-SecureAppKeyVaultSecret"] = ("Set-SecureAppKeyVaultSecret -VaultName vault -Name any -SecretValue (ConvertTo-Secret x) -Credential $application", "keyVault"),
        ["Get-SecureAppKeyVaultCertificate"] = ("Get-SecureAppKeyVaultCertificate -VaultName vault -Name any -Credential $application", "keyVault"),
        ["Test-SecureAppCredential"] = ("Test-SecureAppCredential -Credential $application", "login"),
    };

    private static readonly HashSet<string> s_local =
    [
        "Add-SecureAppEnvironment", "Clear-SecureAppDefault", "Clear-SecureAppTokenCache", "ConvertFrom-SecureAppAccessToken", "Get-SecureAppDefault", "Get-SecureAppEnvironment", "Get-SecureAppTokenCache", "New-SecureAppCredential",
        "Remove-SecureAppEnvironment", "Set-SecureAppDefault", "Start-SecureAppSandbox", "Stop-SecureAppSandbox",
    ];

    public static TheoryData<string> Asking => [.. s_asking.Keys];

    public static TheoryData<string, string> Stages => [.. s_asking.Keys.SelectMany(_ => new[] { "before-headers", "after-headers", "mid-body" }, (name, stage) => (name, stage))];

    [Fact]
    public void Every_exported_command_is_known_here()
    {
        using Engine engine = Engine.Open();
        IEnumerable<string> exported = engine.Run("(Get-Command -Module SecureAppModel).Name").Succeeded().Output.Select(name => name.ToString()!);
        Assert.Equal(s_asking.Keys.Concat(s_local).Order(), exported.Order());
    }

    [Theory]
    [MemberData(nameof(Stages))]
    public void A_held_reply_is_abandoned(string command, string stage)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "50");
        using Engine engine = Open(sandbox, out string folder);
        (string script, string service) = s_asking[command];
        sandbox.AddFault(new
        {
            id = "held",
            match = new { service },
            times = -1,
            action = new { kind = "hold", stage },
        });

        RunningScript running = engine.Start(Ask + "\n" + script);
        sandbox.WaitForHold("held", "held");
        running.Stop();
        JsonNode hold = sandbox.WaitForHold("held", "closed");

        Assert.True(running.Wait().Stopped);
        Assert.True(hold["closed"]!.GetValue<int>() >= 1);
        Assert.Equal(0, hold["released"]!.GetValue<int>());
        Incomplete(folder);
    }

    [Theory]
    [MemberData(nameof(Asking))]
    public void A_host_that_accepts_and_says_nothing_is_abandoned(string command)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "50");
        using Engine engine = Open(sandbox, out string folder);
        string silent = $"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}";
        engine.Run(
            "param($silent) Add-SecureAppEnvironment -Force -Name Silent -LoginEndpoint $silent -GraphEndpoint $silent -PartnerCenterEndpoint $silent -ManagementEndpoint $silent -KeyVaultEndpoint $silent; Set-SecureAppDefault -Environment Silent",
            silent).Succeeded();

        RunningScript running = engine.Start(Ask + "\n" + s_asking[command].Script);
        using Socket connection = listener.AcceptSocket();
        running.Stop();
        Drained(connection);

        Assert.True(running.Wait().Stopped);
        Incomplete(folder);
    }

    // Test-SecureAppCredential is not among them: it reports a throttled service instead of waiting for it.
    [Theory]
    [InlineData("Get-SecureAppAccessToken")]
    [InlineData("Get-GCITSAccessTokenByResource")]
    [InlineData("Get-DelegatedTenant")]
    [InlineData("Connect-DelegatedTenant")]
    [InlineData("Export-SecureAppAuditLog")]
    [InlineData("Get-SecureAppKeyVaultSecret")]
    [InlineData("Set-SecureAppKeyVaultSecret")]
    [InlineData("Get-SecureAppKeyVaultCertificate")]
    public void A_back_off_is_abandoned(string command)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "50");
        using Engine engine = Open(sandbox, out string folder);
        (string script, string service) = s_asking[command];
        sandbox.AddFault(new
        {
            id = "throttled",
            match = new { service },
            times = -1,
            action = new { kind = "status", status = 429, headers = new Dictionary<string, string> { ["Retry-After"] = "20" }, body = "slow down" },
        });
        RunningScript running = engine.Start(Ask + "\n" + script);
        WaitForAnswer(sandbox, service);
        running.Stop();

        Assert.True(running.Wait().Stopped);
        Incomplete(folder);
    }

    [Theory]
    [InlineData("Get-SecureAppAccessToken")]
    [InlineData("Export-SecureAppAuditLog")]
    public void A_command_whose_input_has_not_come_is_abandoned(string command)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "50");
        using Engine engine = Open(sandbox, out _);
        using var never = new SemaphoreSlim(0);
        engine.Set("never", never);
        using var reached = new ManualResetEventSlim();
        engine.Set("reached", reached);
        string arguments = s_asking[command].Script.Replace("-TenantId $customer", "");

        RunningScript running = engine.Start(Ask + "\n& { $reached.Set(); while (-not $never.Wait(20)) { } } | " + arguments);
        reached.Wait(TestContext.Current.CancellationToken);
        running.Stop();

        Assert.True(running.Wait().Stopped);
        Assert.Equal(0, sandbox.Stats()["requests"]!.GetValue<int>());
    }

    private static Engine Open(Sandbox sandbox, out string folder)
    {
        folder = Directory.CreateTempSubdirectory("secureapp-stop-").FullName;
        Engine engine = Engine.Open().Join(sandbox);
        engine.Set("folder", folder);
        sandbox.ResetStats();
        return engine;
    }

    /// <summary>Reads until the peer has gone; blocks for as long as it has not.</summary>
    private static void Drained(Socket connection)
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (connection.Receive(buffer) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Reset: gone as well.
        }
    }

    /// <summary>Until the service has answered and nothing more is on its way: what is left is the wait before the next try.</summary>
    private static void WaitForAnswer(Sandbox sandbox, string service)
    {
        string[] paths = service switch { "login" => ["oauth2"], "graph" => ["v1.0"], "keyVault" => ["/secrets"], _ => ["activity"] };
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        JsonNode stats;
        do
        {
            limit.Token.ThrowIfCancellationRequested();
            stats = sandbox.Stats();
        }
        while (stats["inFlight"]!.GetValue<int>() > 0 || !stats["byPath"]!.AsObject().Any(count => paths.Any(count.Key.Contains)));
    }

    /// <summary>An export that was stopped says so in whatever manifest it left.</summary>
    private static void Incomplete(string folder)
    {
        foreach (string manifest in Directory.EnumerateFiles(folder, "manifest.json", SearchOption.AllDirectories))
        {
            JsonNode content = JsonNode.Parse(File.ReadAllText(manifest))!;
            Assert.False(content["complete"]!.GetValue<bool>());
            Assert.NotEmpty(content["reason"]!.GetValue<string>());
        }

        Directory.Delete(folder, recursive: true);
    }
}
