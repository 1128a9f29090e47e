using System.Security.Cryptography.X509Certificates;
using Microsoft.Identity.Client;
using SecureAppModel.EngineTests.Certificates;
using SecureAppModel.EngineTests.Sandboxing;
using SecureAppModel.EngineTests.SignIn;

namespace SecureAppModel.EngineTests.Judges;

/// <summary>
/// Microsoft's own client against the sandbox, told by documented options alone: the authority, that it is not to be looked
/// up at Microsoft, and an HTTP client that trusts the sandbox's certificate authority.
/// </summary>
public sealed class MsalTests : IDisposable
{
    private static readonly string[] s_graph = ["https://graph.microsoft.com/.default"];
    private static readonly string[] s_manage = ["https://manage.office.com/.default"];

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
    private readonly Clients _clients;

    public MsalTests() => _clients = new Clients(_sandbox);

    public void Dispose()
    {
        _clients.Dispose();
        _sandbox.Dispose();
    }

    [Fact]
    public async Task A_client_secret_gets_a_token_once()
    {
        IConfidentialClientApplication application = Confidential().WithClientSecret(_sandbox.Facts.Secret).Build();
        AuthenticationResult first = await application.AcquireTokenForClient(s_graph).ExecuteAsync();
        AuthenticationResult second = await application.AcquireTokenForClient(s_graph).ExecuteAsync();

        Assert.Equal(TokenSource.IdentityProvider, first.AuthenticationResultMetadata.TokenSource);
        Assert.Equal(TokenSource.Cache, second.AuthenticationResultMetadata.TokenSource);
        Assert.Equal(first.AccessToken, second.AccessToken);
        Assert.InRange(first.ExpiresOn, DateTimeOffset.UtcNow.AddMinutes(50), DateTimeOffset.UtcNow.AddMinutes(70));
    }

    [Fact]
    public async Task A_certificate_gets_a_token_with_PS256()
    {
        using X509Certificate2 certificate = TestCertificates.Registered(_sandbox);
        AuthenticationResult result = await Confidential().WithCertificate(certificate).Build().AcquireTokenForClient(s_graph).ExecuteAsync();

        Assert.NotEmpty(result.AccessToken);
        string assertion = System.Text.Json.JsonSerializer.Deserialize<string[]>(_sandbox.Send(HttpMethod.Get, "sandbox/assertions", null))![^1];
        Assert.Equal("PS256", new Microsoft.IdentityModel.JsonWebTokens.JsonWebToken(assertion).Alg);
    }

    [Fact]
    public async Task An_authorization_code_is_redeemed_and_renewed_in_silence()
    {
        IConfidentialClientApplication application = Confidential().WithClientSecret(_sandbox.Facts.Secret).Build();
        Uri address = await application.GetAuthorizationRequestUrl(s_graph).WithPkce(out string verifier).ExecuteAsync();
        string code = _sandbox.SignIn(new { url = address.AbsoluteUri })["parameters"]!["code"]!.GetValue<string>();
        AuthenticationResult signedIn = await application.AcquireTokenByAuthorizationCode(s_graph, code).WithPkceCodeVerifier(verifier).ExecuteAsync();

        Assert.Equal(_sandbox.Facts.UserPrincipalName, signedIn.Account.Username);
        Assert.Equal(_sandbox.Facts.PartnerTenantId, signedIn.TenantId);
        await IsRenewedInSilence(application, signedIn);
    }

    [Fact]
    public async Task A_device_code_is_polled_for_and_renewed_in_silence()
    {
        _sandbox.SetApplication(new { deviceIntervalSeconds = 1 });
        IPublicClientApplication application = PublicClientApplicationBuilder.Create(_sandbox.Facts.ApplicationId)
            .WithAuthority(Authority(), validateAuthority: false).WithHttpClientFactory(_clients).Build();
        AuthenticationResult signedIn = await application.AcquireTokenWithDeviceCode(s_graph, code =>
        {
            Assert.Contains(code.UserCode, code.Message);
            _sandbox.SignIn(new { userCode = code.UserCode });
            return Task.CompletedTask;
        }).ExecuteAsync();

        Assert.Equal(_sandbox.Facts.UserPrincipalName, signedIn.Account.Username);
        await IsRenewedInSilence(application, signedIn);
    }

    [Fact]
    public async Task A_refresh_token_is_redeemed_for_a_customer()
    {
        IConfidentialClientApplication application = Confidential(_sandbox.Facts.Tenants[0].TenantId).WithClientSecret(_sandbox.Facts.Secret).Build();
        AuthenticationResult result = await ((IByRefreshToken)application).AcquireTokenByRefreshToken(s_graph, _sandbox.Facts.RefreshToken).ExecuteAsync();

        Assert.Equal(_sandbox.Facts.Tenants[0].TenantId, result.TenantId);
        Assert.Equal(_sandbox.Facts.UserPrincipalName, result.Account.Username);
        await IsRenewedInSilence(application, result);
    }

    [Fact]
    public async Task A_user_is_acted_for()
    {
        IConfidentialClientApplication application = Confidential().WithClientSecret(_sandbox.Facts.Secret).Build();
        string own = $"{_sandbox.Facts.ApplicationId}/.default";
        AuthenticationResult user = await ((IByRefreshToken)application).AcquireTokenByRefreshToken([own], _sandbox.Facts.RefreshToken).ExecuteAsync();
        AuthenticationResult result = await application.AcquireTokenOnBehalfOf(s_graph, new UserAssertion(user.AccessToken)).ExecuteAsync();

        Assert.Equal(_sandbox.Facts.UserPrincipalName, result.Account.Username);
    }

    [Fact]
    public async Task Refusals_are_read_as_what_they_are()
    {
        IConfidentialClientApplication wrong = Confidential().WithClientSecret("not-the-secret").Build();
        MsalServiceException refused = await Assert.ThrowsAsync<MsalServiceException>(() => wrong.AcquireTokenForClient(s_graph).ExecuteAsync());
        Assert.Equal(("invalid_client", 401), (refused.ErrorCode, refused.StatusCode));
        Assert.Contains("AADSTS7000215", refused.Message);

        string customer = _sandbox.Facts.Tenants[0].TenantId;
        _sandbox.SetTenant(customer, new { consent = "missing" });
        MsalUiRequiredException consent = await Refusal(customer);
        Assert.Equal(UiRequiredExceptionClassification.ConsentRequired, consent.Classification);

        _sandbox.SetTenant(customer, new { consent = "granted", conditionalAccess = true });
        MsalUiRequiredException blocked = await Refusal(customer);
        Assert.Equal(UiRequiredExceptionClassification.MessageOnly, blocked.Classification);
        Assert.Contains("polids", blocked.Claims);
    }

    private async Task<MsalUiRequiredException> Refusal(string tenant)
    {
        var application = (IByRefreshToken)Confidential(tenant).WithClientSecret(_sandbox.Facts.Secret).Build();
        return await Assert.ThrowsAnyAsync<MsalUiRequiredException>(
            () => application.AcquireTokenByRefreshToken(s_graph, _sandbox.Facts.RefreshToken).ExecuteAsync());
    }

    /// <summary>Its refresh token gets a token for another resource, and the cache has both from then on.</summary>
    private static async Task IsRenewedInSilence(IClientApplicationBase application, AuthenticationResult signedIn)
    {
        AuthenticationResult other = await application.AcquireTokenSilent(s_manage, signedIn.Account).ExecuteAsync();
        AuthenticationResult renewed = await application.AcquireTokenSilent(s_graph, signedIn.Account).WithForceRefresh(true).ExecuteAsync();
        AuthenticationResult cached = await application.AcquireTokenSilent(s_graph, signedIn.Account).ExecuteAsync();

        Assert.Equal(TokenSource.IdentityProvider, other.AuthenticationResultMetadata.TokenSource);
        Assert.NotEqual(signedIn.AccessToken, renewed.AccessToken);
        Assert.Equal(renewed.AccessToken, cached.AccessToken);
    }

    private ConfidentialClientApplicationBuilder Confidential(string? tenant = null) =>
        ConfidentialClientApplicationBuilder.Create(_sandbox.Facts.ApplicationId)
            .WithAuthority(Authority(tenant)).WithInstanceDiscovery(false).WithHttpClientFactory(_clients).WithRedirectUri("http://localhost:8400");

    private string Authority(string? tenant = null) => $"{_sandbox.Facts.Endpoints["login"]}/{tenant ?? _sandbox.Facts.PartnerTenantId}";

    private sealed class Clients(Sandbox sandbox) : IMsalHttpClientFactory, IDisposable
    {
        private readonly HttpClient _client = sandbox.Client("login");

        public HttpClient GetHttpClient() => _client;

        public void Dispose() => _client.Dispose();
    }
}
