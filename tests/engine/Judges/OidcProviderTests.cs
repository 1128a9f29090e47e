using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.IdentityModel.Tokens;
using SecureAppModel.EngineTests.Certificates;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.SignIn;

namespace SecureAppModel.EngineTests.Judges;

/// <summary>
/// What the module asks a sign-in endpoint for, judged by an OpenID-certified server that nobody here wrote. It refuses what the
/// standards do not allow, and a refresh token that is used twice costs it everything.
/// </summary>
public sealed partial class OidcProviderTests : IDisposable
{
    private const string Api = "https://api.example.com/.default";
    private const string User = "sam@contoso.example";

    private readonly Engine _engine = Engine.Open();

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void An_authorization_code_with_PKCE_is_redeemed()
    {
        using OidcProvider provider = Join(OidcProvider.WithSecret(Api));
        Outcome signedIn = SignIn(provider, $"-Scope {Api} -ExpectedAccount {User}");

        Assert.Equal(User, signedIn.Property("Account"));
        // The provider's pages do not say how somebody signed in.
        Assert.Contains("no amr", Assert.Single(signedIn.Warnings));
        Tokens($"-Scope {Api}");
        Assert.Equivalent(new OidcProvider.Seen([], 1, 0), provider.WhatItSaw());
    }

    [Fact]
    public void A_device_code_is_polled_for()
    {
        using OidcProvider provider = Join(OidcProvider.WithSecret(Api));
        RunningScript running = _engine.Start($"New-SecureAppRefreshToken $application {OidcProvider.Tenant} -UseDeviceCode -Scope {Api}");
        Match asked = _engine.WaitForText(DeviceCode());
        using var user = new FormUser(provider.RootPath);
        Assert.Contains("Sign-in Success", user.Visit(asked.Groups["address"].Value, Typed(("user_code", asked.Groups["code"].Value))));
        Outcome signedIn = running.Wait().Succeeded();
        _engine.Set("signedIn", signedIn.Output[0]);

        Assert.Equal(User, signedIn.Property("Account"));
        Tokens($"-Scope {Api}");
        Assert.DoesNotContain(provider.WhatItSaw().Refused, said => !said.Contains("pending"));
    }

    [Fact]
    public void A_refresh_token_that_was_rotated_out_is_never_used_again()
    {
        string[] scopes = ["https://api.example.com/a", "https://api.example.com/b", "https://api.example.com/c"];
        using OidcProvider provider = Join(OidcProvider.WithSecret(scopes));
        SignIn(provider, $"-Scope {string.Join(", ", scopes)}");
        _engine.Set("scopes", scopes);

        // Three questions at a time, over and over, from one credential.
        for (int round = 0; round < 5; round++)
        {
            Outcome tokens = _engine.Run(
                "param($tenant) $scopes | ForEach-Object { [pscustomobject]@{ TenantId = $tenant; Scope = $_ } } | Get-SecureAppAccessToken -Credential $signedIn -ForceRefresh",
                OidcProvider.Tenant).Succeeded();
            Assert.Equal(3, tokens.Output.Count);
        }

        Assert.Equivalent(new OidcProvider.Seen([], 15, 0), provider.WhatItSaw());
    }

    [Fact]
    public void The_provider_notices_a_refresh_token_that_is_used_twice()
    {
        using OidcProvider provider = Join(OidcProvider.WithSecret(Api));
        SignIn(provider, $"-Scope {Api}");
        string rotatedOut = (string)Tokens($"-IncludeRefreshToken -Scope {Api}").Property("RefreshToken")!;
        Tokens($"-ForceRefresh -Scope {Api}");

        Assert.Equal(400, provider.Redeem(rotatedOut));
        Assert.Equal(1, provider.WhatItSaw().Revoked);
        Outcome next = _engine.Run($"Get-SecureAppAccessToken {OidcProvider.Tenant} $signedIn -ForceRefresh -Scope {Api}");

        Assert.StartsWith("SecureAppModel.NotSignedIn", Assert.Single(next.Errors).FullyQualifiedErrorId);
        Assert.Contains("refresh token", next.Errors[0].ErrorDetails.RecommendedAction);
        Assert.DoesNotContain(rotatedOut, next.AllText);
    }

    [Theory]
    [InlineData("PS256")]
    [InlineData("RS256")]
    public void A_certificate_proves_the_application(string algorithm)
    {
        using X509Certificate2 certificate = TestCertificates.Create();
        using OidcProvider provider = Join(OidcProvider.WithKey(PublicKey(certificate), algorithm, Api));
        _engine.Set("certificate", certificate);
        _engine.Run($"$global:application = New-SecureAppCredential {OidcProvider.ClientId} -Certificate $certificate -AssertionAlgorithm {algorithm}").Succeeded();

        // For itself, and behind a user who signed in.
        _engine.Run($"Get-SecureAppAccessToken {OidcProvider.Tenant} $application -Scope {Api} -ForceRefresh").Succeeded();
        _engine.Run($"Get-SecureAppAccessToken {OidcProvider.Tenant} $application -Scope {Api} -ForceRefresh").Succeeded();
        SignIn(provider, $"-Scope {Api}");
        Tokens($"-Scope {Api}");

        Assert.Equivalent(new OidcProvider.Seen([], 1, 0), provider.WhatItSaw());
    }

    [Fact]
    public void Another_key_is_refused_in_words()
    {
        using X509Certificate2 certificate = TestCertificates.Create();
        using X509Certificate2 other = TestCertificates.Create();
        using OidcProvider provider = Join(OidcProvider.WithKey(PublicKey(other), "PS256", Api));
        _engine.Set("certificate", certificate);
        Outcome outcome = _engine.Run(
            $"Get-SecureAppAccessToken {OidcProvider.Tenant} (New-SecureAppCredential {OidcProvider.ClientId} -Certificate $certificate) -Scope {Api}");

        Assert.StartsWith("SecureAppModel.NotSignedIn", Assert.Single(outcome.Errors).FullyQualifiedErrorId);
        Assert.Contains("client authentication failed", outcome.Errors[0].ErrorDetails.Message);
        Assert.Single(provider.WhatItSaw().Refused);
    }

    /// <summary>Makes the provider this session's environment, in which a refresh token works once.</summary>
    private OidcProvider Join(OidcProvider provider)
    {
        _engine.Run(
            """
            param($address, $root, $id, $secret)
            $null = Add-SecureAppEnvironment Oidc -LoginEndpoint $address -CertificatePath $root -SingleUseRefreshTokens -Force
            Set-SecureAppDefault -Environment Oidc
            $secure = [securestring]::new()
            foreach ($character in $secret.ToCharArray()) { $secure.AppendChar($character) }
            $global:application = New-SecureAppCredential $id -Secret $secure
            """,
            provider.Address, provider.RootPath, OidcProvider.ClientId, OidcProvider.Secret).Succeeded();
        return provider;
    }

    /// <summary>Signs a user in at the provider's pages; the credential is <c>$signedIn</c> then.</summary>
    private Outcome SignIn(OidcProvider provider, string arguments)
    {
        RunningScript running = _engine.Start($"New-SecureAppRefreshToken $application {OidcProvider.Tenant} -NoBrowser {arguments}");
        using var user = new FormUser(provider.RootPath);
        user.Visit(_engine.AddressOnScreen(), Typed());
        Outcome signedIn = running.Wait().Succeeded();
        _engine.Set("signedIn", signedIn.Output[0]);
        return signedIn;
    }

    private Outcome Tokens(string arguments) =>
        _engine.Run($"Get-SecureAppAccessToken {OidcProvider.Tenant} $signedIn {arguments}").Succeeded();

    private static Dictionary<string, string> Typed(params (string Field, string Text)[] further)
    {
        var typed = new Dictionary<string, string> { ["login"] = User, ["password"] = "any" };
        foreach ((string field, string text) in further)
        {
            typed[field] = text;
        }

        return typed;
    }

    private static JsonObject PublicKey(X509Certificate2 certificate)
    {
        RSAParameters key = certificate.GetRSAPublicKey()!.ExportParameters(false);
        return new JsonObject
        {
            ["kty"] = "RSA",
            ["n"] = Base64UrlEncoder.Encode(key.Modulus),
            ["e"] = Base64UrlEncoder.Encode(key.Exponent),
            ["x5t#S256"] = Base64UrlEncoder.Encode(certificate.GetCertHash(HashAlgorithmName.SHA256)),
        };
    }

    [GeneratedRegex(@"open (?<address>https://\S+) .* enter the code (?<code>[\w-]+)")]
    private static partial Regex DeviceCode();
}
