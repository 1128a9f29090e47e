using System.Management.Automation;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Gcits;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.PartnerCenter;

/// <summary>New-PartnerAccessToken without a user at the screen: refresh tokens, the application itself, a token that is there.</summary>
public sealed class PartnerTokenTests : IDisposable
{
    private const string Center = "https://api.partnercenter.microsoft.com";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "2", "--records", "0");
    private readonly Engine _engine;

    public PartnerTokenTests() => _engine = PartnerModule.Open(_sandbox);

    private string Customer => _sandbox.Facts.Tenants[0].TenantId;

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    /// <summary>The lines of the articles, and of the module's later documentation.</summary>
    [Theory]
    [InlineData("-RefreshToken $sandbox.RefreshToken -Resource https://api.partnercenter.microsoft.com -Credential $appCredential -ServicePrincipal", Center, "user_impersonation")]
    [InlineData("-RefreshToken $sandbox.RefreshToken -Resource https://graph.windows.net -Credential $appCredential -ServicePrincipal", "https://graph.windows.net", "Directory.AccessAsUser.All")]
    [InlineData("-RefreshToken $sandbox.RefreshToken -Credential $appCredential", Center, "user_impersonation")]
    [InlineData("-RefreshToken $sandbox.RefreshToken -Scopes https://api.partnercenter.microsoft.com/user_impersonation -Credential $appCredential -ServicePrincipal", Center, "user_impersonation")]
    [InlineData("-ApplicationId $sandbox.ApplicationId -Credential $appCredential -RefreshToken $sandbox.RefreshToken -Scopes 'https://graph.windows.net/.default' -ServicePrincipal -Tenant organizations", "https://graph.windows.net", "User.Read")]
    public void A_refresh_token_is_redeemed_in_its_own_tenant(string arguments, string audience, string permission)
    {
        Outcome outcome = _engine.Run("New-PartnerAccessToken " + arguments).Succeeded();

        Jwt.ForAudience(audience, _sandbox.Facts.PartnerTenantId, outcome.Property("AccessToken"));
        Assert.IsType<string>(outcome.Property("RefreshToken"));
        Assert.Equal(_sandbox.Facts.PartnerTenantId, outcome.Property("TenantId"));
        Assert.Contains($"{audience}/{permission}", Assert.IsType<string[]>(outcome.Property("Scopes")));
        Assert.InRange(Assert.IsType<DateTimeOffset>(outcome.Property("ExpiresOn")), DateTimeOffset.UtcNow.AddMinutes(50), DateTimeOffset.UtcNow.AddMinutes(61));
        Assert.Equal(_sandbox.Facts.UserPrincipalName, outcome.Output[0].Properties["Account"].Value.ToString());
        Assert.Equal(Jwt.Claims(outcome.Property("AccessToken")).GetProperty("oid").GetString(), outcome.Property("UniqueId"));
    }

    /// <summary>Scripts that keep it well have it so; PowerShell makes the name of its type of it.</summary>
    [Fact]
    public void A_refresh_token_may_be_a_SecureString()
    {
        Outcome outcome = _engine.Run(
            "New-PartnerAccessToken -RefreshToken (ConvertTo-Secret $sandbox.RefreshToken) -Credential $appCredential -Scopes https://graph.microsoft.com/.default").Succeeded();

        Jwt.ForAudience("https://graph.microsoft.com", _sandbox.Facts.PartnerTenantId, outcome.Property("AccessToken"));
        Assert.IsType<string>(outcome.Property("RefreshToken"));
    }

    /// <summary>The scopes of OpenID Connect are no API's.</summary>
    [Fact]
    public void Scopes_that_were_granted_exist()
    {
        string[] scopes = Assert.IsType<string[]>(_engine.Run(
            "New-PartnerAccessToken -RefreshToken $sandbox.RefreshToken -Credential $appCredential -Scopes https://graph.microsoft.com/.default").Succeeded().Property("Scopes"));
        string[] own = ["openid", "email", "profile", "offline_access"];

        Assert.Contains("openid", scopes);
        Assert.Contains("https://graph.microsoft.com/User.Read", scopes);
        Assert.All(scopes, scope => Assert.Equal(own.Contains(scope), !scope.StartsWith("https://graph.microsoft.com/", StringComparison.Ordinal)));
        Assert.DoesNotContain(scopes, scope => own.Any(name => scope.EndsWith("/" + name, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_refresh_token_that_comes_back_works_for_a_customer()
    {
        Outcome outcome = _engine.Run(
            """
            $token = New-PartnerAccessToken -RefreshToken $sandbox.RefreshToken -Scopes https://api.partnercenter.microsoft.com/user_impersonation -Credential $appCredential
            New-PartnerAccessToken -ApplicationId $sandbox.ApplicationId -Credential $appCredential -RefreshToken $token.RefreshToken -Scopes https://graph.windows.net/.default -ServicePrincipal -Tenant $sandbox.Tenants[1].DefaultDomainName
            """).Succeeded();

        Jwt.ForAudience("https://graph.windows.net", _sandbox.Facts.Tenants[1].TenantId, outcome.Property("AccessToken"));
        Assert.NotEqual(_sandbox.Facts.RefreshToken, outcome.Property("RefreshToken"));
    }

    /// <summary>The PartnerCenter module's was empty in several cases, and scripts stored the empty text.</summary>
    [Fact]
    public void Without_a_new_refresh_token_the_redeemed_one_is_returned()
    {
        string own = _engine.Run("(New-PartnerAccessToken -Credential $appCredential -TenantId $customer).AccessToken").Single<string>();
        _sandbox.AddFault(new
        {
            match = new { service = "login", grant = "refresh_token" },
            action = new
            {
                kind = "status",
                status = 200,
                contentType = "application/json",
                body = $$"""{"token_type":"Bearer","expires_in":"3599","access_token":"{{own}}"}""",
            },
        });

        Outcome outcome = _engine.Run("New-PartnerAccessToken -RefreshToken $sandbox.RefreshToken -Credential $appCredential").Succeeded();

        Assert.Equal(_sandbox.Facts.RefreshToken, outcome.Property("RefreshToken"));
        Assert.Equal(own, outcome.Property("AccessToken"));
    }

    [Theory]
    [InlineData("-ServicePrincipal -Scopes https://graph.microsoft.com/.default -Tenant $customer")]
    [InlineData("-ServicePrincipal -Scopes https://graph.microsoft.com/.default -Domain $sandbox.Tenants[0].DefaultDomainName -ApplicationId $sandbox.ApplicationId")]
    [InlineData("-ServicePrincipal -Resource https://graph.microsoft.com -TenantId $customer")]
    [InlineData("-Resource https://graph.microsoft.com -TenantId $customer")]
    public void Without_a_user_the_application_acts_for_itself(string arguments)
    {
        Outcome outcome = _engine.Run("New-PartnerAccessToken -Credential $appCredential " + arguments).Succeeded();

        Jwt.ForAudience("https://graph.microsoft.com", Customer, outcome.Property("AccessToken"));
        Assert.Null(outcome.Property("RefreshToken"));
        Assert.Null(outcome.Property("Account"));
        Assert.Equal(["https://graph.microsoft.com/.default"], Assert.IsType<string[]>(outcome.Property("Scopes")));
    }

    [Fact]
    public void A_certificate_is_found_by_its_thumbprint()
    {
        if (OperatingSystem.IsMacOS())
        {
            Assert.Skip("The user's store there is the keychain.");
        }

        using var certificate = X509CertificateLoader.LoadPkcs12FromFile(
            _sandbox.Facts.CertificatePfxPath,
            _sandbox.Facts.CertificatePfxPassword,
            X509KeyStorageFlags.Exportable | X509KeyStorageFlags.PersistKeySet);
        using var store = new X509Store(
            StoreName.My, StoreLocation.CurrentUser);
        store.Open(OpenFlags.ReadWrite);
        store.Add(certificate);
        try
        {
            _engine.Set("thumbprint", certificate.Thumbprint);
            Outcome outcome = _engine.Run(
                """
                New-PartnerAccessToken -ApplicationId $sandbox.ApplicationId -CertificateThumbprint $thumbprint -ServicePrincipal -Scopes https://graph.microsoft.com/.default -Tenant $customer
                New-PartnerAccessToken -ApplicationId $sandbox.ApplicationId -CertificateThumbprint $thumbprint -RefreshToken $sandbox.RefreshToken -Scopes https://graph.microsoft.com/.default -Tenant $customer
                """).Succeeded();

            Assert.All(outcome.Output, token => Jwt.ForAudience("https://graph.microsoft.com", Customer, token.Properties["AccessToken"].Value));
            Assert.Equal([true, false], outcome.Output.Select(token => token.Properties["RefreshToken"].Value is null));
        }
        finally
        {
            store.Remove(certificate);
        }
    }

    [Theory]
    [InlineData("AzureGermanCloud", "closed")]
    [InlineData("GermanCloud", "closed")]
    [InlineData("AzurePPE", "Microsoft's own")]
    [InlineData("Elsewhere", "no environment")]
    public void A_cloud_that_cannot_be_used_is_refused(string name, string said)
    {
        ErrorRecord error = _engine.Refused($"New-PartnerAccessToken -Credential $appCredential -RefreshToken x -Environment {name}");

        Assert.Contains(said, error.Exception.Message, StringComparison.OrdinalIgnoreCase);
        Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void A_token_that_is_there_comes_back_as_it_is()
    {
        _engine.Run("$global:own = New-PartnerAccessToken -RefreshToken $sandbox.RefreshToken -Credential $appCredential; $global:end = $own.ExpiresOn").Succeeded();
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run(
            "New-PartnerAccessToken -AccessToken $own.AccessToken -ApplicationId $sandbox.ApplicationId -Scopes https://api.partnercenter.microsoft.com/user_impersonation").Succeeded();

        Assert.Equal(_engine.Run("$own.AccessToken").Single<string>(), outcome.Property("AccessToken"));
        Assert.Equal(_sandbox.Facts.PartnerTenantId, outcome.Property("TenantId"));
        Assert.InRange((DateTimeOffset)outcome.Property("ExpiresOn")! - (DateTimeOffset)_engine.Get("end")!, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1));
        Assert.Null(outcome.Property("RefreshToken"));
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
        Assert.Contains(
            "is for https://api.partnercenter.microsoft.com, and -Scopes asks for another",
            _engine.Refused("New-PartnerAccessToken -AccessToken $own.AccessToken -ApplicationId $sandbox.ApplicationId -Scopes https://graph.microsoft.com/.default").Exception.Message);
        Assert.Contains(
            "no access token whose content can be read",
            _engine.Refused("New-PartnerAccessToken -AccessToken something -ApplicationId $sandbox.ApplicationId -Scopes https://graph.microsoft.com/.default").Exception.Message);
    }

    [Fact]
    public void A_token_that_has_ended_is_refused()
    {
        // By a variable: an error holds the line that the caller wrote.
        ErrorRecord error = Assert.Single(_engine.Run(
            "param($ended) New-PartnerAccessToken -AccessToken $ended -ApplicationId $sandbox.ApplicationId -Scopes https://graph.microsoft.com/.default",
            "eyJhbGciOiJub25lIn0.eyJleHAiOjE1MDAwMDAwMDB9.").Errors);

        Assert.Contains("has ended", error.Exception.Message);
    }

    [Theory]
    [InlineData("", "names an application")]
    [InlineData("-Credential $appCredential", "-Tenant names none")]
    [InlineData("-Credential $appCredential -TenantId common", "-Tenant names none")]
    [InlineData("-Credential $appCredential -Tenant 'not a tenant'", "neither a tenant id nor a domain")]
    [InlineData("-Credential $appCredential -RefreshToken x -Resource ''", "-Resource is empty")]
    [InlineData("-Credential $appCredential -RefreshToken x -Scopes ' '", "-Scopes is empty")]
    [InlineData("-Credential ([pscredential]::new('user@partner.example', $appCredential.Password)) -RefreshToken x", "is a user name")]
    [InlineData("-Credential ([pscredential]::new($sandbox.ApplicationId, [securestring]::new())) -RefreshToken x", "has no password")]
    [InlineData("-Credential $appCredential -CertificateThumbprint x -RefreshToken x -Scopes x", "both prove")]
    public void What_cannot_work_is_refused_before_anything_is_sent(string arguments, string said)
    {
        _sandbox.ResetStats();

        ErrorRecord error = _engine.Refused("New-PartnerAccessToken " + arguments);

        Assert.StartsWith("SecureAppModel.InvalidInput,New-PartnerAccessToken", error.FullyQualifiedErrorId);
        Assert.Contains(said, error.Exception.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    /// <summary>A parameter that some set demands is refused by PowerShell itself, as the original's were.</summary>
    [Theory]
    [InlineData("-Credential $appCredential -Tenant ''", "Tenant")]
    [InlineData("-Credential $appCredential -RefreshToken $nothing", "RefreshToken")]
    [InlineData("-Credential $nothing -RefreshToken x", "Credential")]
    [InlineData("-Credential $appCredential -RefreshToken x -Scopes $nothing", "Scopes")]
    public void An_empty_variable_is_never_taken_for_nothing(string arguments, string parameter)
    {
        ErrorRecord error = _engine.Refused("New-PartnerAccessToken " + arguments);

        Assert.StartsWith("ParameterArgumentValidationError", error.FullyQualifiedErrorId);
        Assert.Contains($"'{parameter}'", error.Exception.Message);
    }

    [Fact]
    public void A_refusal_of_the_service_is_the_callers_error_and_names_no_secret()
    {
        const string ask = "New-PartnerAccessToken -Credential ([pscredential]::new($sandbox.ApplicationId, (ConvertTo-Secret 'a-wrong-secret'))) -RefreshToken $sandbox.RefreshToken";

        Outcome goesOn = _engine.Run($"$token = {ask}; 'goes on'; $null -eq $token");
        Outcome stops = _engine.Run($"$ErrorActionPreference = 'Stop'; {ask}; 'goes on'");

        Assert.Equal(["goes on", true], goesOn.Output.Select(item => item.BaseObject));
        Assert.Contains("AADSTS7000215", Assert.Single(goesOn.Errors).ErrorDetails.Message);
        Assert.Empty(stops.Output);
        Assert.Contains("AADSTS7000215", stops.FailureRecord!.Exception.Message);
        Assert.All([goesOn, stops], outcome =>
        {
            Assert.DoesNotContain("a-wrong-secret", outcome.AllText);
            Assert.DoesNotContain(_sandbox.Facts.RefreshToken, outcome.AllText);
        });
    }

    /// <summary>The strings are in their properties, and nowhere that nobody asked for them.</summary>
    [Fact]
    public void No_view_stream_or_serialised_copy_has_the_tokens()
    {
        Outcome outcome = _engine.Run(
            """
            $VerbosePreference = $DebugPreference = 'Continue'
            $global:token = New-PartnerAccessToken -RefreshToken $sandbox.RefreshToken -Credential $appCredential -Verbose -Debug
            "$token"; [string] $token; $token.ToString()
            [System.Management.Automation.PSSerializer]::Serialize($token, 5)
            [System.Management.Automation.PSSerializer]::Serialize(@{ held = @($token) }, 5)
            """).Succeeded();
        string all = outcome.AllText + _engine.Render("$token") + _engine.Render("@(Get-SecureAppEnvironment)[0]; $token")
            + _engine.Render("$token, $token") + _engine.Render("@{ held = $token }");

        Assert.Contains("hidden", all);
        foreach (string property in new[] { "$token.AccessToken", "$token.RefreshToken" })
        {
            string secret = _engine.Run(property).Single<string>();
            Assert.DoesNotContain(secret[..16], all);
            Assert.DoesNotContain(secret[^16..], all);
        }

        Assert.DoesNotContain(_sandbox.Facts.Secret, all);
    }
}
