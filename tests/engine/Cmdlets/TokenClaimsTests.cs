using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>ConvertFrom-SecureAppAccessToken: what a token says, in any shape it comes in, and never the token.</summary>
public sealed class TokenClaimsTests : IClassFixture<SharedSandbox>, IDisposable
{
    private const string Graph = "https://graph.microsoft.com";

    private readonly Sandbox _sandbox;
    private readonly Engine _engine;

    public TokenClaimsTests(SharedSandbox shared)
    {
        _sandbox = shared.Sandbox;
        _engine = Engine.Open().Join(_sandbox);
        _engine.Run(
            $$"""
            $global:t = Get-SecureAppAccessToken $customer -Resource {{Graph}}
            $global:own = Get-SecureAppAccessToken $customer -Resource {{Graph}} -AppOnly
            $global:secure = Get-SecureAppAccessToken $customer -Resource {{Graph}} -AsSecureString
            """).Succeeded();
    }

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void A_users_token_says_for_what_and_whom_it_is()
    {
        PSObject claims = One("$t | ConvertFrom-SecureAppAccessToken");

        Assert.Equal(Graph, claims.Properties["Audience"].Value);
        Assert.Equal(_sandbox.Facts.Tenants[0].TenantId, claims.Properties["TenantId"].Value);
        Assert.Equal("User", claims.Properties["Kind"].Value);
        Assert.Equal(_sandbox.Facts.UserPrincipalName, claims.Properties["Account"].Value);
        Assert.Equal(_sandbox.Facts.ApplicationId, claims.Properties["ApplicationId"].Value);
        Assert.Contains("Directory.Read.All", (string[])claims.Properties["Scopes"].Value);
        Assert.Contains("mfa", (string[])claims.Properties["AuthenticationMethods"].Value);
        Assert.True(Assert.IsType<DateTimeOffset>(claims.Properties["ExpiresOn"].Value) > DateTimeOffset.UtcNow);
        Assert.Equal(false, claims.Properties["SignatureVerified"].Value);
        var all = (PSObject)claims.Properties["Claims"].Value;
        Assert.IsType<DateTimeOffset>(all.Properties["exp"].Value);
        Assert.Equal(claims.Properties["TenantId"].Value, all.Properties["tid"].Value);
    }

    [Fact]
    public void An_applications_token_names_its_roles()
    {
        PSObject claims = One("ConvertFrom-SecureAppAccessToken $own");

        Assert.Equal("Application", claims.Properties["Kind"].Value);
        Assert.Null(claims.Properties["Account"].Value);
        Assert.Contains("Directory.Read.All", (string[])claims.Properties["Roles"].Value);
    }

    [Theory]
    [InlineData("$t.AccessToken")]
    [InlineData("\"Bearer $t\"")]
    [InlineData("$secure")]
    [InlineData("[pscustomobject]@{ AccessToken = $t.AccessToken }")]
    [InlineData("@{ Token = $secure }")]
    public void A_token_comes_in_many_shapes(string shape)
    {
        foreach (string command in new[] { shape + " | ConvertFrom-SecureAppAccessToken", "ConvertFrom-SecureAppAccessToken (" + shape + ")" })
        {
            Assert.Equal(_sandbox.Facts.UserPrincipalName, One(command).Properties["Account"].Value);
        }
    }

    [Fact]
    public void The_token_is_not_in_what_is_shown_and_the_signature_is_said_to_be_unchecked()
    {
        string token = _engine.Run("$t.AccessToken").Succeeded().Single<string>();

        string screen = _engine.Render("$t | ConvertFrom-SecureAppAccessToken");

        Assert.Contains("not checked", screen);
        Assert.Contains(_sandbox.Facts.UserPrincipalName!, screen);
        string everything = screen + PSSerializer.Serialize(One("$t | ConvertFrom-SecureAppAccessToken"), 5);
        Assert.All(token.Split('.'), part => Assert.DoesNotContain(part, everything));
    }

    [Theory]
    [InlineData("ConvertFrom-SecureAppAccessToken", "No token")]
    [InlineData("ConvertFrom-SecureAppAccessToken ''", "No token")]
    [InlineData("ConvertFrom-SecureAppAccessToken opaque-token-nobody-may-see", "three parts")]
    [InlineData("ConvertFrom-SecureAppAccessToken e30.opaque-token-nobody-may-see.x", "not a JSON object")]
    [InlineData("ConvertFrom-SecureAppAccessToken 42", "Int32")]
    [InlineData("ConvertFrom-SecureAppAccessToken @{ key = 'opaque-token-nobody-may-see' }", "Hashtable")]
    public void What_is_no_token_is_refused_without_its_text(string command, string said)
    {
        ErrorRecord error = _engine.Refused(command);

        Assert.Contains(said, error.Exception.Message);
        Assert.DoesNotContain("nobody-may-see", error.ToString() + error.Exception + error.TargetObject);
    }

    [Fact]
    public void A_bad_one_in_a_pipeline_does_not_stop_the_others()
    {
        Outcome outcome = _engine.Run("$t, 'opaque', $own | ConvertFrom-SecureAppAccessToken");

        Assert.Null(outcome.Failure);
        Assert.Equal(2, outcome.Output.Count);
        Assert.Contains("three parts", Assert.Single(outcome.Errors).Exception.Message);
    }

    private PSObject One(string script) => Assert.Single(_engine.Run(script).Succeeded().Output);
}
