using System.Collections;
using System.Security;
using SecureAppModel.EngineTests.Gcits;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Connect;

/// <summary>Each service's own cmdlet gets the tokens that it wants, by its own names and types.</summary>
public sealed class ConnectServiceTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    private readonly Sandbox _sandbox = shared.Sandbox;

    private string Customer => _sandbox.Facts.Tenants[0].TenantId;

    [Fact]
    public void Graph_gets_a_SecureString()
    {
        IDictionary got = Connect(ConnectStubs.MgGraph, "Connect-DelegatedTenant $customer Graph");

        Assert.IsType<SecureString>(got["AccessToken"]);
        Jwt.ForAudience("https://graph.microsoft.com", Customer, Plain((SecureString)got["AccessToken"]!));
        Assert.False(got.Contains("Environment"));
    }

    [Fact]
    public void Graphs_first_version_gets_a_text()
    {
        IDictionary got = Connect(ConnectStubs.MgGraphVersion1, "Connect-DelegatedTenant $customer Graph");

        Jwt.ForAudience("https://graph.microsoft.com", Customer, got["AccessToken"]);
    }

    [Fact]
    public void Exchange_is_told_that_it_is_a_customers_organization()
    {
        IDictionary got = Connect(ConnectStubs.ExchangeOnline, "Connect-DelegatedTenant $customer ExchangeOnline");

        Jwt.ForAudience("https://outlook.office365.com", Customer, got["AccessToken"]);
        Assert.Equal(Customer, got["DelegatedOrganization"]);
        Assert.False(got.Contains("UserPrincipalName"));
        Assert.False(got.Contains("Organization"));
    }

    [Fact]
    public void Exchange_knows_a_customer_without_the_credential_naming_its_own_tenant()
    {
        IDictionary got = Connect(
            ConnectStubs.ExchangeOnline,
            "$plain = @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $sandbox.RefreshToken }; Connect-DelegatedTenant $customer ExchangeOnline -Credential $plain");

        Assert.Equal(Customer, got["DelegatedOrganization"]);
    }

    [Fact]
    public void Exchange_at_home_is_told_the_user()
    {
        IDictionary got = Connect(ConnectStubs.ExchangeOnline, "Connect-DelegatedTenant -Service ExchangeOnline");

        Jwt.ForAudience("https://outlook.office365.com", _sandbox.Facts.PartnerTenantId, got["AccessToken"]);
        Assert.Equal(_sandbox.Facts.UserPrincipalName, got["UserPrincipalName"]);
        Assert.False(got.Contains("DelegatedOrganization"));
    }

    [Fact]
    public void Exchange_for_an_application_is_told_the_organization()
    {
        IDictionary got = Connect(
            ConnectStubs.ExchangeOnline, "Connect-DelegatedTenant $sandbox.Tenants[0].DefaultDomainName ExchangeOnline -AppOnly");

        Assert.Equal(_sandbox.Facts.Tenants[0].DefaultDomainName, got["Organization"]);
        Assert.False(got.Contains("UserPrincipalName"));
    }

    /// <summary>Connect-ExchangeOnline takes no GUID and no other domain there.</summary>
    [Theory]
    [InlineData("Connect-DelegatedTenant $customer ExchangeOnline -AppOnly", 1)]
    [InlineData("Connect-DelegatedTenant $sandbox.Tenants[0].DefaultDomainName.Replace('.onmicrosoft.com', '.example') ExchangeOnline -AppOnly", 1)]
    [InlineData("Get-DelegatedTenant | ForEach-Object { if ($_.TenantId -eq $customer) { $_ } } | Connect-DelegatedTenant -Service ExchangeOnline -AppOnly", 0)]
    [InlineData("[pscustomobject]@{ CustomerId = [guid]$customer; DefaultDomainName = $sandbox.Tenants[0].DefaultDomainName } | Connect-DelegatedTenant -Service ExchangeOnline -AppOnly", 0)]
    [InlineData("[pscustomobject]@{ TenantId = $customer; DefaultDomainName = 'example.org' } | Connect-DelegatedTenant -Service ExchangeOnline -AppOnly", 1)]
    public void Exchange_for_an_application_is_told_the_domain_that_the_tenant_was_made_with(string command, int asked)
    {
        _sandbox.ResetStats();

        IDictionary got = Connect(ConnectStubs.ExchangeOnline, command);

        Assert.Equal(_sandbox.Facts.Tenants[0].DefaultDomainName, got["Organization"]);
        Jwt.ForAudience("https://outlook.office365.com", Customer, got["AccessToken"]);
        Assert.Equal(asked, Organizations());
    }

    [Fact]
    public void Without_that_domain_Exchange_is_not_called_for_an_application()
    {
        _sandbox.AddFault(new
        {
            id = "organization",
            match = new { service = "graph", pathContains = "/organization" },
            times = 1,
            action = new { kind = "status", status = 403, body = """{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}""" },
        });
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(ConnectStubs.ExchangeOnline + "Connect-DelegatedTenant $customer ExchangeOnline -AppOnly");

        Assert.Empty(outcome.Output);
        System.Management.Automation.ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Contains("initial domain", error.Exception.Message);
        Assert.Contains("onmicrosoft.com", error.ErrorDetails.RecommendedAction);
        Assert.Equal(Customer, error.TargetObject);
        Assert.Null(engine.Get("got"));
    }

    [Fact]
    public void A_version_of_Exchanges_that_knows_no_organization_is_given_none()
    {
        IDictionary got = Connect(
            "function Connect-ExchangeOnline { [CmdletBinding()] param([string] $AccessToken) $global:got = $PSBoundParameters }\n",
            "Connect-DelegatedTenant $customer ExchangeOnline -AppOnly");

        Assert.Equal(["AccessToken"], got.Keys.Cast<string>());
    }

    [Fact]
    public void Partner_Center_gets_the_partners_token_and_the_end_that_version_1_wants()
    {
        IDictionary got = Connect(ConnectStubs.PartnerCenterVersion1, "Connect-DelegatedTenant $customer PartnerCenter");

        Jwt.ForAudience("https://api.partnercenter.microsoft.com", _sandbox.Facts.PartnerTenantId, got["AccessToken"]);
        Assert.IsType<DateTimeOffset>(got["AccessTokenExpiresOn"]);
        Assert.Equal(_sandbox.Facts.ApplicationId, got["ApplicationId"]);
    }

    [Fact]
    public void Partner_Centers_version_3_gets_nothing_but_the_token()
    {
        IDictionary got = Connect(ConnectStubs.PartnerCenterVersion3, "Connect-DelegatedTenant $customer PartnerCenter");

        Assert.Equal(["AccessToken"], got.Keys.Cast<string>());
    }

    [Fact]
    public void Partner_Centers_tenant_is_found_from_the_token_where_the_credential_does_not_name_it()
    {
        IDictionary got = Connect(
            ConnectStubs.PartnerCenterVersion3 + ConnectStubs.MgGraph,
            "$plain = @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $sandbox.RefreshToken }; Connect-DelegatedTenant $customer Graph, PartnerCenter -Credential $plain");

        Jwt.ForAudience("https://api.partnercenter.microsoft.com", _sandbox.Facts.PartnerTenantId, got["AccessToken"]);
    }

    [Fact]
    public void MSOnline_gets_both_tokens()
    {
        IDictionary got = Connect(ConnectStubs.Msol, "Connect-DelegatedTenant $customer MSOnline -WarningAction Ignore");

        Jwt.ForAudience("https://graph.windows.net", Customer, got["AdGraphAccessToken"]);
        Jwt.ForAudience("https://graph.microsoft.com", Customer, got["MsGraphAccessToken"]);
    }

    [Fact]
    public void AzureAD_gets_both_tokens_the_account_and_the_tenant()
    {
        IDictionary got = Connect(ConnectStubs.AzureAD, "Connect-DelegatedTenant $customer AzureAD -WarningAction Ignore");

        Jwt.ForAudience("https://graph.windows.net", Customer, got["AadAccessToken"]);
        Jwt.ForAudience("https://graph.microsoft.com", Customer, got["MsAccessToken"]);
        Assert.Equal(_sandbox.Facts.UserPrincipalName, got["AccountId"]);
        Assert.Equal(Customer, got["TenantId"]);
    }

    [Fact]
    public void An_account_that_was_given_wins_over_the_tokens()
    {
        IDictionary got = Connect(
            ConnectStubs.AzureAD, "Connect-DelegatedTenant $customer AzureAD -AccountId other@partner.example -WarningAction Ignore");

        Assert.Equal("other@partner.example", got["AccountId"]);
    }

    private long Organizations() => _sandbox.Stats()["byPath"]!.AsObject()
        .Where(path => path.Key.Contains("/organization", StringComparison.Ordinal)).Sum(path => (long)path.Value!);

    private static string Plain(SecureString secret) => new System.Net.NetworkCredential(string.Empty, secret).Password;

    private IDictionary Connect(string stubs, string script)
    {
        using Engine engine = Engine.Open().Join(_sandbox);
        engine.Run(stubs + script).Succeeded();
        return ConnectStubs.Got(engine);
    }
}
