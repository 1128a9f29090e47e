using System.Management.Automation;
using SecureAppModel.EngineTests.Connect;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>What -Verbose and -Debug tell: what is asked where, from where a token came, what is waited for. Never a secret.</summary>
public sealed class VerboseTests : IDisposable
{
    private const string Ask = "Get-SecureAppAccessToken $customer -Resource https://graph.microsoft.com";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "2", "--records", "40");
    private readonly Engine _engine;
    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;

    public VerboseTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Set("folder", _folder);
        // As a shell starts.
        _engine.Set("VerbosePreference", ActionPreference.SilentlyContinue);
        _engine.Set("DebugPreference", ActionPreference.SilentlyContinue);
    }

    /// <summary>Each command that asks, in a tenant whose tokens are not in the cache yet.</summary>
    public static TheoryData<string> Commands =>
    [
        Ask,
        "Get-DelegatedTenant -CheckAccess",
        ConnectStubs.MgGraph + "Connect-DelegatedTenant $customer -Service Graph",
        "Export-SecureAppAuditLog $customer -Path $folder",
        "Test-SecureAppCredential",
        "Get-GCITSAccessTokenByResource @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $sandbox.RefreshToken } $customer https://graph.microsoft.com",
    ];

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
        Recorder.HearAndDelete(_folder);
    }

    [Fact]
    public void A_token_is_told_to_be_asked_for_to_be_waited_for_and_to_be_cached()
    {
        string login = new Uri(_sandbox.Facts.Endpoints["login"]).Authority;
        string subject = "https://graph.microsoft.com in " + _sandbox.Facts.Tenants[0].TenantId;
        Throttle("login", "1");

        IReadOnlyList<string> asked = _engine.Run(Ask + " -Verbose").Succeeded().Verbose;
        IReadOnlyList<string> cached = _engine.Run(Ask + " -Verbose").Succeeded().Verbose;

        Assert.Equal(3, asked.Count);
        Assert.Equal($"Asking {login} for a token for {subject} (refresh_token)", asked[0]);
        Assert.Matches($@"^Asking again in 1\.\d s \(1 of 4\): {login} answered HTTP 429 and asked to wait 1 s$", asked[1]);
        Assert.Matches($@"^The token for {subject} came after \d+ ms, good until \d{{4}}-", asked[2]);
        Assert.Matches($@"^The token for {subject} is in the cache, good until \d{{4}}-", Assert.Single(cached));
    }

    [Theory]
    [InlineData("", "", false, false)]
    [InlineData("", "-Verbose", true, false)]
    [InlineData("", "-Debug", false, true)]
    [InlineData("$VerbosePreference = 'Continue'", "", true, false)]
    [InlineData("$VerbosePreference = 'Continue'", "-Verbose:$false", false, false)]
    [InlineData("$DebugPreference = 'Continue'", "", false, true)]
    public void Only_what_is_wanted_is_told(string preference, string arguments, bool verbose, bool debug)
    {
        Outcome outcome = _engine.Run($"{preference}\n{Ask} {arguments}").Succeeded();

        Assert.Equal((verbose, debug), (outcome.Verbose.Count > 0, outcome.Debug.Count > 0));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_that_asks_tells_of_it_without_a_secret(string command)
    {
        string[] hosts = [.. _sandbox.Facts.Endpoints.Values.Select(endpoint => new Uri(endpoint).Authority).Distinct()];
        string login = new Uri(_sandbox.Facts.Endpoints["login"]).Authority;

        Outcome outcome = _engine.Run("$VerbosePreference = $DebugPreference = 'Continue'; " + command);

        Assert.Null(outcome.Failure);
        Assert.Contains(outcome.Verbose, line => line.StartsWith($"Asking {login} for a token for ", StringComparison.Ordinal));
        Assert.Contains(outcome.Debug, line => line.StartsWith($"POST https://{login}/", StringComparison.Ordinal) && line.Contains("/token: HTTP 200"));
        Assert.All(outcome.Debug, line => Assert.Contains(hosts, host => line.Contains($" https://{host}/")));
        string told = string.Join('\n', outcome.Verbose.Concat(outcome.Debug));
        Assert.DoesNotContain("?", told);
        Assert.Equal(outcome.Verbose.Distinct(), outcome.Verbose);
        foreach (string secret in Secrets())
        {
            Assert.DoesNotContain(secret, told);
        }
    }

    [Fact]
    public void A_service_that_asks_an_export_to_wait_is_told_of()
    {
        Throttle("manage", "0");

        Outcome outcome = _engine.Run("Export-SecureAppAuditLog $customer -Path $folder -Verbose").Succeeded();

        string manage = new Uri(_sandbox.Facts.Endpoints["manage"]).Authority;
        Assert.Contains(outcome.Verbose, line => line.StartsWith($"{manage} asks for fewer requests", StringComparison.Ordinal));
    }

    /// <summary>The sandbox's own, and every token that this process has from it by now.</summary>
    private IEnumerable<string> Secrets()
    {
        Outcome tokens = _engine.Run(
            """
            foreach ($tenant in @($sandbox.Tenants.TenantId) + $sandbox.PartnerTenantId) {
                foreach ($service in 'graph', 'manage', 'partnerCenter') {
                    $token = Get-SecureAppAccessToken $tenant -Resource (Get-SecureAppEnvironment $sandbox.Environment).Resources.$service -IncludeRefreshToken
                    $token.AccessToken
                    $token.RefreshToken
                }
            }
            """);
        return tokens.Output.Select(token => (string)token.BaseObject).Append(_sandbox.Facts.Secret).Append(_sandbox.Facts.RefreshToken);
    }

    private void Throttle(string service, string retryAfter) => _sandbox.AddFault(new
    {
        match = new { service },
        times = 1,
        action = new { kind = "status", status = 429, headers = new Dictionary<string, string> { ["Retry-After"] = retryAfter }, body = "slow down" },
    });
}
