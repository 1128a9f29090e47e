using System.Collections;
using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>Get-SecureAppAccessToken when something is wrong: what is sent, what ends the command and what does not.</summary>
public sealed class TokensErrorTests : IDisposable
{
    private const string Graph = "https://graph.microsoft.com";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "4", "--records", "0", "--seed", "3");
    private readonly Engine _engine;

    public TokensErrorTests()
    {
        _engine = Engine.Open().Join(_sandbox);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Theory]
    [InlineData("Get-SecureAppAccessToken -Resource https://graph.microsoft.com", "No tenant was given")]
    [InlineData("Get-SecureAppAccessToken $customer", "Neither -Resource nor -Scope")]
    [InlineData("Get-SecureAppAccessToken $customer -Resource https://graph.microsoft.com -Scope openid", "exclude each other")]
    [InlineData("Get-SecureAppAccessToken $customer -Resource ''", "Neither -Resource nor -Scope")]
    [InlineData("Get-SecureAppAccessToken $customer -Resource x -AsPlainText -AsSecureString", "exclude each other")]
    [InlineData("Get-SecureAppAccessToken 'not a tenant' -Resource x", "'not a tenant' is neither")]
    [InlineData("Get-SecureAppAccessToken $customer, 'https://contoso.com' -Resource x", "'https://contoso.com' is neither")]
    [InlineData("Get-SecureAppAccessToken 00000000-0000 -Resource x", "'00000000-0000' is neither")]
    [InlineData("Get-SecureAppAccessToken $customer, 'a b', $sandbox.Tenants[1] -Resource https://graph.microsoft.com", "'a b' is neither")]
    [InlineData("Connect-DelegatedTenant $customer, 'a b' -Service Graph -AsHashtable", "'a b' is neither")]
    [InlineData("Export-SecureAppAuditLog $customer, 'a b' ./never", "'a b' is neither")]
    [InlineData("Get-SecureAppTokenCache $customer, 'a b'", "'a b' is neither")]
    [InlineData("Clear-SecureAppTokenCache $customer, 'a b'", "'a b' is neither")]
    [InlineData("Test-SecureAppCredential -TenantId 'a b'", "'a b' is neither")]
    [InlineData("New-SecureAppRefreshToken -TenantId 'a b' -NoBrowser", "'a b' is neither")]
    public void A_wrong_command_line_ends_the_command_before_anything_is_sent(string command, string said)
    {
        ErrorRecord error = _engine.Refused(command);

        Assert.StartsWith("SecureAppModel.InvalidInput", error.FullyQualifiedErrorId);
        Assert.Contains(said, error.Exception.Message);
        Assert.Empty(_sandbox.TokenCounts());
    }

    [Theory]
    [InlineData("Get-SecureAppAccessToken -Resource https://graph.microsoft.com")]
    [InlineData("Connect-DelegatedTenant -Service Graph -AsHashtable")]
    [InlineData("Export-SecureAppAuditLog -Path $folder")]
    public void A_wrong_item_of_a_pipeline_fails_alone(string command)
    {
        string folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
        _engine.Set("folder", folder);

        Outcome outcome = _engine.Run("$sandbox.Tenants[0].TenantId, 'no tenant', $sandbox.Tenants[1].TenantId | " + command);
        Directory.Delete(folder, recursive: true);

        Assert.Null(outcome.Failure);
        Assert.Equal(2, outcome.Output.Count);
        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.StartsWith("SecureAppModel.InvalidInput", error.FullyQualifiedErrorId);
        Assert.Equal("no tenant", error.TargetObject);
    }

    [Fact]
    public void An_object_that_names_no_tenant_fails_alone_and_its_text_is_not_shown()
    {
        Outcome outcome = _engine.Run(
            $"[pscustomobject]@{{ note = 'do-not-show' }}, $sandbox.Tenants[0] | Get-SecureAppAccessToken -Resource {Graph}");

        Assert.Null(outcome.Failure);
        Assert.Single(outcome.Output);
        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Contains("CustomerContextId", error.Exception.Message);
        Assert.DoesNotContain("do-not-show", error.Exception + " " + error.TargetObject + error.CategoryInfo);
    }

    [Fact]
    public void One_tenants_failure_says_everything_and_the_others_get_their_tokens()
    {
        SandboxTenant broken = _sandbox.Facts.Tenants[1];
        _sandbox.SetTenant(broken.TenantId, new { consent = "missing" });

        Outcome outcome = _engine.Run($"Get-SecureAppAccessToken $sandbox.Tenants.DefaultDomainName -Resource {Graph}");

        Assert.Null(outcome.Failure);
        Assert.Equal(3, outcome.Output.Count);
        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Equal(broken.DefaultDomainName, error.TargetObject);
        Assert.Equal("AADSTS65001", Property(error, "Code"));
        Assert.Equal("invalid_grant", Property(error, "Error"));
        Assert.Equal(400, Property(error, "HttpStatus"));
        Assert.StartsWith("SecureAppModel." + Property(error, "Kind"), error.FullyQualifiedErrorId);
        Assert.Contains("\"error\"", (string)Property(error, "ServiceResponse")!);
        Assert.All(
            ["AADSTS65001", Property(error, "TraceId"), Property(error, "CorrelationId"), Property(error, "Advice")],
            part => Assert.Contains((string)part!, error.Exception.Message));
        Assert.NotEmpty((string)Property(error, "TraceId")!);
        Assert.Equal(Property(error, "Advice"), error.ErrorDetails.RecommendedAction);
        Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
        Assert.EndsWith(".", (string)Property(error, "Problem")!);
        Assert.DoesNotContain(_sandbox.Facts.RefreshToken, outcome.Screen + error + error.Exception);
        Assert.DoesNotContain(_sandbox.Facts.Secret, outcome.Screen + error + error.Exception + Property(error, "ServiceResponse"));
    }

    [Fact]
    public void A_wrong_secret_is_explained()
    {
        Outcome outcome = _engine.Run(
            $"Get-SecureAppAccessToken $customer -Resource {Graph} -Credential @{{ appId = $sandbox.ApplicationId; secret = 'wrong'; refreshToken = $sandbox.RefreshToken }}");

        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Equal("AADSTS7000215", Property(error, "Code"));
        Assert.Equal(ErrorCategory.AuthenticationError, error.CategoryInfo.Category);
    }

    [Fact]
    public void A_secret_that_is_refused_everywhere_is_not_offered_everywhere_and_each_tenant_has_its_error()
    {
        Outcome outcome = _engine.Run(
            "Get-SecureAppAccessToken $sandbox.Tenants.TenantId -Resource https://graph.microsoft.com, https://manage.office.com -ThrottleLimit 1"
            + " -Credential @{ appId = $sandbox.ApplicationId; secret = 'wrong' }");

        Assert.Equal(8, outcome.Errors.Count);
        Assert.Equal(_sandbox.Facts.Tenants.SelectMany(tenant => new object[] { tenant.TenantId, tenant.TenantId }), outcome.Errors.Select(error => error.TargetObject));
        Assert.All(outcome.Errors, error => Assert.Equal("AADSTS7000215", Property(error, "Code")));
        ErrorRecord[] unsent = [.. outcome.Errors.Where(error => (string)Property(error, "Id")! == "CredentialRefused")];
        Assert.Equal(3, unsent.Length);
        Assert.All(unsent, error => Assert.Contains("was not asked for", error.Exception.Message));
        Assert.Equal(5, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Fact]
    public void An_unknown_environment_is_refused_with_those_that_there_are()
    {
        ErrorRecord error = _engine.Refused($"Get-SecureAppAccessToken $customer -Resource {Graph} -Environment Nowhere");

        Assert.StartsWith("SecureAppModel.NotFound", error.FullyQualifiedErrorId);
        Assert.Contains("There is no environment of the name that was given", error.Exception.Message);
        Assert.Contains(_sandbox.Facts.Environment, error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void A_slow_upstream_gets_its_first_token_before_it_sends_the_second_tenant()
    {
        using var received = new ManualResetEventSlim();
        IEnumerable Tenants()
        {
            yield return _sandbox.Facts.Tenants[0].TenantId;
            Within.Wait(received, "the first token");
            yield return _sandbox.Facts.Tenants[1].TenantId;
        }

        RunningScript running = _engine.StartWithInput(
            Tenants(), "Get-SecureAppAccessToken", new Hashtable { ["Resource"] = Graph });
        PSObject first = Assert.Single(running.TakeUntil(1));
        received.Set();

        Assert.Equal(_sandbox.Facts.Tenants[0].TenantId, first.Properties["TenantId"].Value);
        Assert.Equal(2, running.Wait().Succeeded().Output.Count);
    }

    [Fact]
    public void A_fast_upstreams_tenants_are_asked_for_at_the_same_time()
    {
        Hold("all", skip: 1);

        RunningScript running = _engine.Start($"$sandbox.Tenants.TenantId | Get-SecureAppAccessToken -Resource {Graph}");
        _sandbox.WaitForHold("all", "held", 3);
        _sandbox.Release("all");

        Assert.Equal(4, running.Wait().Succeeded().Output.Count);
    }

    [Fact]
    public void A_stop_ends_the_request_and_leaves_no_result()
    {
        Hold("stop", skip: 0);
        RunningScript running = _engine.Start($"Get-SecureAppAccessToken $customer -Resource {Graph} -AppOnly");
        _sandbox.WaitForHold("stop", "held");

        running.Stop();

        _sandbox.WaitForHold("stop", "closed");
        Outcome outcome = running.Wait();
        Assert.True(outcome.Stopped);
        Assert.Empty(outcome.Output);
        Assert.Empty(outcome.Errors);
    }

    [Fact]
    public void Taking_only_the_first_ends_the_rest()
    {
        Hold("rest", skip: 1);

        Outcome outcome = _engine.Run(
            $"foreach ($run in 1) {{ $sandbox.Tenants.TenantId | Get-SecureAppAccessToken -Resource {Graph} -AppOnly | ForEach-Object {{ $_; break }} }}");

        Assert.Single(outcome.Succeeded().Output);
    }

    private void Hold(string id, int skip) => _sandbox.AddFault(new
    {
        id,
        match = new { service = "login", method = "POST", pathContains = "token" },
        times = -1,
        skip,
        action = new { kind = "hold", stage = "before-headers" },
    });

    private static object? Property(ErrorRecord error, string name)
    {
        object? value = error.Exception.GetType().GetProperty(name)?.GetValue(error.Exception);
        return value is Enum ? value.ToString() : value;
    }
}
