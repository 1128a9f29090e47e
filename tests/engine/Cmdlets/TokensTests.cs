using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>Get-SecureAppAccessToken against a healthy sandbox: what it gives and how that behaves in scripts.</summary>
public sealed class TokensTests : IClassFixture<SharedSandbox>, IDisposable
{
    private const string Graph = "https://graph.microsoft.com";

    private readonly Sandbox _sandbox;
    private readonly Engine _engine;

    public TokensTests(SharedSandbox shared)
    {
        _sandbox = shared.Sandbox;
        _engine = Engine.Open().Join(_sandbox);
    }

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void A_resource_gives_a_v1_token()
    {
        PSObject token = One($"Get-SecureAppAccessToken -TenantId $customer -Resource {Graph}");

        Assert.Equal(_sandbox.Facts.Tenants[0].TenantId, token.Properties["TenantId"].Value);
        Assert.Equal(Graph, token.Properties["Resource"].Value);
        Assert.Null(token.Properties["Scopes"].Value);
        Assert.Equal(_sandbox.Facts.ApplicationId, token.Properties["ApplicationId"].Value);
        Assert.Equal("Bearer", token.Properties["TokenType"].Value);
        Assert.Equal(_sandbox.Facts.UserPrincipalName, token.Properties["Account"].Value);
        Assert.True(Assert.IsType<DateTimeOffset>(token.Properties["ExpiresOn"].Value) > DateTimeOffset.UtcNow);
        Assert.Null(token.Properties["RefreshToken"].Value);
        Assert.NotEmpty((string)token.Properties["AccessToken"].Value);
    }

    [Fact]
    public void A_scope_gives_a_v2_token()
    {
        PSObject token = One($"Get-SecureAppAccessToken $customer -Scopes {Graph}/.default");

        Assert.Null(token.Properties["Resource"].Value);
        Assert.NotEmpty(Assert.IsType<string[]>(token.Properties["Scopes"].Value));
    }

    [Fact]
    public void A_domain_is_a_tenant_and_the_answer_carries_its_id()
    {
        PSObject token = One($"Get-SecureAppAccessToken -CustomerId $sandbox.Tenants[0].DefaultDomainName -Resource {Graph}");

        Assert.Equal(_sandbox.Facts.Tenants[0].TenantId, token.Properties["TenantId"].Value);
    }

    [Fact]
    public void AppOnly_gives_the_applications_own_token()
    {
        PSObject token = One($"Get-SecureAppAccessToken $customer -Resource {Graph} -AppOnly");

        Assert.Null(token.Properties["Account"].Value);
    }

    [Fact]
    public void Every_tenant_gets_a_token_for_every_resource()
    {
        Outcome outcome = _engine.Run(
            $"Get-SecureAppAccessToken -TenantId $sandbox.Tenants.TenantId -Resource {Graph}, https://graph.windows.net").Succeeded();

        Assert.Equal(
            _sandbox.Facts.Tenants.SelectMany(tenant => new[] { tenant.TenantId + Graph, tenant.TenantId + "https://graph.windows.net" }).Order(),
            outcome.Output.Select(token => (string)token.Properties["TenantId"].Value + token.Properties["Resource"].Value).Order());
    }

    [Theory]
    [InlineData("$sandbox.Tenants.TenantId")]
    [InlineData("$sandbox.Tenants")]
    [InlineData("foreach ($t in $sandbox.Tenants) { [guid]$t.TenantId }")]
    [InlineData("foreach ($t in $sandbox.Tenants) { @{ TenantId = $t.TenantId } }")]
    [InlineData("foreach ($t in $sandbox.Tenants) { [pscustomobject]@{ CustomerContextId = [guid]$t.TenantId; Name = 'x' } }")]
    public void Customers_come_by_value_and_by_property_name(string customers)
    {
        Outcome outcome = _engine.Run($"& {{ {customers} }} | Get-SecureAppAccessToken -Resource {Graph}").Succeeded();

        Assert.Equal(
            _sandbox.Facts.Tenants.Select(tenant => tenant.TenantId).Order(),
            outcome.Output.Select(token => (string)token.Properties["TenantId"].Value).Order());
    }

    [Fact]
    public void A_token_is_its_text_where_PowerShell_wants_a_text()
    {
        Outcome outcome = _engine.Run(
            $$"""
            function Get-Text([string] $text) { $text }
            function Get-SecretLength([securestring] $secret) { $secret.Length }
            $t = Get-SecureAppAccessToken $customer -Resource {{Graph}}
            (Get-Text $t) -ceq $t.AccessToken
            "Bearer $t" -ceq ('Bearer ' + $t.AccessToken)
            [string]$t -ceq $t.AccessToken
            (Get-SecretLength $t) -eq $t.AccessToken.Length
            $t.ToString().Contains($t.AccessToken)
            """).Succeeded();

        Assert.Equal([true, true, true, true, false], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_token_is_masked_on_the_screen_and_absent_from_what_is_serialised()
    {
        string screen = _engine.Render($"$global:t = Get-SecureAppAccessToken $customer -Resource {Graph} -IncludeRefreshToken; $t");
        string token = (string)One("$t").Properties["AccessToken"].Value;
        string refresh = (string)One("$t").Properties["RefreshToken"].Value;
        string serialised = string.Join('\n', _engine.Run(
            """
            [System.Management.Automation.PSSerializer]::Serialize($t, 5)
            [System.Management.Automation.PSSerializer]::Serialize($t, 1)
            [System.Management.Automation.PSSerializer]::Serialize([pscustomobject]@{ a = @{ b = $t } }, 1)
            """).Succeeded().Output);

        Assert.NotEmpty(refresh);
        Assert.Contains(_sandbox.Facts.Tenants[0].TenantId, screen);
        Assert.All([screen, serialised], text =>
        {
            Assert.DoesNotContain(token, text);
            Assert.DoesNotContain(refresh, text);
        });
        Assert.Contains(_sandbox.Facts.Tenants[0].TenantId, serialised);
    }

    [Fact]
    public void The_bare_token_comes_as_a_text_or_as_a_secure_text()
    {
        Outcome outcome = _engine.Run(
            $$"""
            $t = Get-SecureAppAccessToken $customer -Resource {{Graph}}
            (Get-SecureAppAccessToken $customer -Resource {{Graph}} -AsPlainText) -ceq $t.AccessToken
            $s = Get-SecureAppAccessToken $customer -Resource {{Graph}} -AsSecureString
            $s -is [securestring]
            [pscredential]::new('x', $s).GetNetworkCredential().Password -ceq $t.AccessToken
            """).Succeeded();

        Assert.Equal([true, true, true], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void ForceRefresh_asks_again()
    {
        Outcome outcome = _engine.Run(
            $$"""
            $a = Get-SecureAppAccessToken $customer -Resource {{Graph}} -AsPlainText
            $a -ceq (Get-SecureAppAccessToken $customer -Resource {{Graph}} -AsPlainText)
            $a -ceq (Get-SecureAppAccessToken $customer -Resource {{Graph}} -AsPlainText -ForceRefresh)
            """).Succeeded();

        Assert.Equal([true, false], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_credential_and_an_environment_of_the_command_win_over_the_defaults()
    {
        Outcome outcome = _engine.Run(
            $$"""
            Set-SecureAppDefault -Credential @{ appId = [guid]::NewGuid(); secret = 'x' } -Environment USGov
            $h = @{ appID = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $sandbox.RefreshToken }
            Get-SecureAppAccessToken $customer -Resource {{Graph}} -AppCredential $h -Environment $sandbox.Environment
            """);

        Assert.Single(outcome.Succeeded().Output);
    }

    private PSObject One(string script) => Assert.Single(_engine.Run(script).Succeeded().Output);
}
