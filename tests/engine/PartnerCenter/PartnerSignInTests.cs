using System.Management.Automation;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Gcits;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;
using SecureAppModel.EngineTests.SignIn;

namespace SecureAppModel.EngineTests.PartnerCenter;

/// <summary>New-PartnerAccessToken with a user who signs in at the sandbox's pages.</summary>
[Collection(nameof(BrowserVariable))]
public sealed partial class PartnerSignInTests : IDisposable
{
    private const string Center = "https://api.partnercenter.microsoft.com";
    private const string Oob = "urn:ietf:wg:oauth:2.0:oob";

    /// <summary>The command has no switch that keeps the browser shut, as its namesake has none.</summary>
    private const string NoBrowser = "$env:BROWSER = 'true'; ";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
    private readonly Engine _engine;

    public PartnerSignInTests() => _engine = PartnerModule.Open(_sandbox);

    public void Dispose()
    {
        _engine.Run("$env:BROWSER = $null");
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Theory]
    [InlineData("-Consent -Credential $appCredential -Resource https://api.partnercenter.microsoft.com -TenantId $sandbox.PartnerTenantId")]
    [InlineData("-Consent -Credential $appCredential -Resource https://api.partnercenter.microsoft.com -ServicePrincipal")]
    [InlineData("-Consent -Credential $appCredential")]
    [InlineData("-ApplicationId $sandbox.ApplicationId -Scopes 'https://api.partnercenter.microsoft.com/user_impersonation' -ServicePrincipal -Credential $appCredential -Tenant $sandbox.PartnerTenantId -UseAuthorizationCode")]
    public void A_user_signs_in_with_the_browser_and_the_tokens_are_text(string arguments)
    {
        RunningScript running = _engine.Start(NoBrowser + "New-PartnerAccessToken " + arguments);
        string address = _engine.AddressOnScreen();
        Assert.InRange(Port(address), 8400, 8999);
        User.Carry(_sandbox.SignIn(new { url = address }));
        Outcome outcome = running.Wait().Succeeded();

        Assert.Empty(outcome.Warnings);
        Jwt.ForAudience(Center, _sandbox.Facts.PartnerTenantId, outcome.Property("AccessToken"));
        Assert.Equal(_sandbox.Facts.PartnerTenantId, outcome.Property("TenantId"));
        Assert.Contains(Center + "/user_impersonation", Assert.IsType<string[]>(outcome.Property("Scopes")));
        Assert.Equal(_sandbox.Facts.ApplicationId, Jwt.Claims(outcome.Property("IdToken")).GetProperty("aud").GetString());
        Assert.InRange((DateTimeOffset)outcome.Property("ExpiresOn")!, DateTimeOffset.UtcNow.AddMinutes(50), DateTimeOffset.UtcNow.AddMinutes(61));
        Assert.Equal(_sandbox.Facts.UserPrincipalName, ((PSObject)PSObject.AsPSObject(outcome.Property("Account")!)).Properties["Username"].Value);
        string refreshToken = Assert.IsType<string>(outcome.Property("RefreshToken"));
        Assert.DoesNotContain(refreshToken, outcome.AllText);
        Assert.DoesNotContain(_sandbox.Facts.Secret, outcome.AllText);

        Outcome redeemed = _engine.Run(
            "param($refreshToken) New-PartnerAccessToken -RefreshToken $refreshToken -Resource https://graph.windows.net -Credential $appCredential -TenantId $customer", refreshToken).Succeeded();
        Jwt.ForAudience("https://graph.windows.net", _sandbox.Facts.Tenants[0].TenantId, redeemed.Property("AccessToken"));
    }

    [Fact]
    public void The_only_reply_URL_of_version_1_is_asked_for_by_pasting()
    {
        _sandbox.SetApplication(new { redirectUris = new[] { Oob } });
        _engine.AnswerPrompts(screen => _sandbox.SignIn(new { url = Sign(screen) })["location"]!.GetValue<string>());

        Outcome outcome = _engine.Run(NoBrowser + "New-PartnerAccessToken -Consent -Credential $appCredential -Resource https://api.partnercenter.microsoft.com -TenantId $sandbox.PartnerTenantId").Succeeded();

        Assert.Contains("no reply URL http://localhost (AADSTS50011)", Assert.Single(outcome.Warnings));
        Assert.Contains("F12", outcome.Screen);
        Assert.Single(AddressLine().Matches(outcome.Screen));
        Jwt.ForAudience(Center, _sandbox.Facts.PartnerTenantId, outcome.Property("AccessToken"));
        Assert.IsType<string>(outcome.Property("RefreshToken"));
    }

    [Fact]
    public void Where_nobody_can_be_asked_the_address_comes_with_the_same_line_again()
    {
        _sandbox.SetApplication(new { redirectUris = new[] { Oob } });
        const string line = "New-PartnerAccessToken -Consent -Credential $appCredential -Resource https://api.partnercenter.microsoft.com";
        Outcome first = _engine.Run(NoBrowser + line);
        Assert.Contains("-ResponseUrl", Assert.Single(first.Errors).ErrorDetails.RecommendedAction);

        string end = _sandbox.SignIn(new { url = Sign(first.Screen) })["location"]!.GetValue<string>();
        Outcome second = _engine.Run($"param($end) {line} -ResponseUrl $end", end).Succeeded();
        Assert.IsType<string>(second.Property("RefreshToken"));
        Assert.Empty(second.Warnings);

        ErrorRecord third = Assert.Single(_engine.Run($"param($end) {line} -ResponseUrl $end", end).Errors);
        Assert.StartsWith("SecureAppModel.InvalidInput", third.FullyQualifiedErrorId);
        Assert.DoesNotContain("code=", third.ToString());
    }

    [Theory]
    [InlineData("-Consent -Credential $appCredential")]
    [InlineData("-ApplicationId $sandbox.ApplicationId -Scopes User.Read -ServicePrincipal -Credential $appCredential -Tenant $sandbox.PartnerTenantId -UseAuthorizationCode")]
    public void Without_either_reply_URL_the_one_to_add_is_named(string arguments)
    {
        _sandbox.SetApplication(new { redirectUris = new[] { "https://somewhere.example" } });

        Outcome outcome = _engine.Run(NoBrowser + "New-PartnerAccessToken " + arguments);

        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Contains("AADSTS50011", error.ErrorDetails.Message);
        Assert.Contains("exactly http://localhost to", error.ErrorDetails.RecommendedAction);
    }

    /// <summary>Without a secret the application is a public client.</summary>
    [Theory]
    [InlineData("-UseDeviceAuthentication")]
    [InlineData("-DeviceCode -Tenant $sandbox.PartnerTenantId")]
    public void A_user_signs_in_with_a_code(string arguments)
    {
        Outcome outcome = ByCode("New-PartnerAccessToken -ApplicationId $sandbox.ApplicationId -Scopes https://api.partnercenter.microsoft.com/user_impersonation " + arguments);

        Jwt.ForAudience(Center, _sandbox.Facts.PartnerTenantId, outcome.Property("AccessToken"));
        Assert.IsType<string>(outcome.Property("RefreshToken"));
    }

    [Fact]
    public void Exchange_Online_has_a_client_of_its_own_for_the_partner_and_for_customers()
    {
        Outcome own = ByCode("New-PartnerAccessToken -Module ExchangeOnline");
        Outcome customer = _engine.Run(
            "param($refreshToken) New-PartnerAccessToken -Module ExchangeOnline -RefreshToken $refreshToken -Tenant $customer", own.Property("RefreshToken")).Succeeded();

        foreach ((Outcome outcome, string tenant) in new[] { (own, _sandbox.Facts.PartnerTenantId), (customer, _sandbox.Facts.Tenants[0].TenantId) })
        {
            Jwt.ForAudience("https://outlook.office365.com", tenant, outcome.Property("AccessToken"));
            Assert.Equal("a0c73c16-a7e3-4564-9a95-2bdf47383716", Jwt.Claims(outcome.Property("AccessToken")).GetProperty("appid").GetString());
        }
    }

    [Fact]
    public void A_sign_in_without_multifactor_authentication_warns()
    {
        RunningScript running = _engine.Start(NoBrowser + "New-PartnerAccessToken -Consent -Credential $appCredential");
        User.Carry(_sandbox.SignIn(new { url = _engine.AddressOnScreen(), mfa = false }));

        Assert.Contains("trusted IP", Assert.Single(running.Wait().Succeeded().Warnings));
    }

    [Fact]
    public void A_stop_ends_the_wait_for_the_user()
    {
        RunningScript running = _engine.Start(NoBrowser + "New-PartnerAccessToken -Consent -Credential $appCredential");
        int port = Port(_engine.AddressOnScreen());
        running.Stop();

        Assert.True(running.Wait().Stopped);
        using var again = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, port);
        again.Start();
    }

    private Outcome ByCode(string script)
    {
        _sandbox.SetApplication(new { deviceIntervalSeconds = 1 });
        RunningScript running = _engine.Start(script);
        _sandbox.SignIn(new { userCode = _engine.WaitForText(DeviceCode()).Groups[1].Value });
        return running.Wait().Succeeded();
    }

    private static int Port(string address) =>
        int.Parse(Regex.Match(Uri.UnescapeDataString(address), @"redirect_uri=http://localhost:(\d+)").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);

    private static string Sign(string screen) => AddressLine().Match(screen).Value;

    [GeneratedRegex(@"https://localhost:\d+/\S*authorize\?\S+")]
    private static partial Regex AddressLine();

    [GeneratedRegex(@"enter the code (\w+)")]
    private static partial Regex DeviceCode();
}
