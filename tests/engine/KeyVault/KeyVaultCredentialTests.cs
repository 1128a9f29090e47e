using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.IdentityModel.JsonWebTokens;
using SecureAppModel.EngineTests.Certificates;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.KeyVault;

/// <summary>Credentials that something in a key vault proves; that each way gets tokens is in CertificateMatrixTests.</summary>
public sealed class KeyVaultCredentialTests : IDisposable
{
    private const string Ask = "Get-SecureAppAccessToken -TenantId $customer -Resource https://graph.microsoft.com -ForceRefresh -Credential ";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
    private readonly Engine _engine;

    public KeyVaultCredentialTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Set("id", _sandbox.Facts.ApplicationId);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Fact]
    public void A_client_secret_of_the_vault_proves_the_application()
    {
        _engine.Run("$null = Set-SecureAppKeyVaultSecret any sam (ConvertTo-Secret $sandbox.Secret)").Succeeded();

        Outcome outcome = _engine.Run(
            "$global:c = New-SecureAppCredential $id -VaultName any -SecretName sam -Verbose -Debug; $c; $c.HasSecret; (" + Ask + "$c).AccessToken").Succeeded();

        Assert.Equal(true, outcome.Output[1].BaseObject);
        Assert.Equal("1", new JsonWebToken((string)outcome.Output[2].BaseObject).GetClaim("appidacr").Value);
        Assert.DoesNotContain(_sandbox.Facts.Secret, outcome.AllText + _engine.Render("$c"));
    }

    [Fact]
    public void A_key_that_stays_in_the_vault_signs_once_for_each_token_and_is_never_read()
    {
        Import("kept", exportable: false);
        _sandbox.ResetStats();

        _engine.Run($"$c = New-SecureAppCredential $id -VaultName any -CertificateName kept -RemoteSigning; $null = {Ask} $c; $null = {Ask} $c").Succeeded();

        Assert.Equal(2, _sandbox.Stats()["byPath"]!["POST /keys/{name}/{version}/sign"]!.GetValue<int>());
        Assert.DoesNotContain(_sandbox.Stats()["byPath"]!.AsObject(), count => count.Key.StartsWith("GET /secrets/", StringComparison.Ordinal));
    }

    [Fact]
    public void A_version_can_be_named()
    {
        string first = Import("renewed").Thumbprint;
        string version = _engine.Run("(Get-SecureAppKeyVaultSecret any renewed).Version").Succeeded().Single<string>();
        string second = Import("renewed").Thumbprint;

        Outcome outcome = _engine.Run(
            """
            param($version)
            (New-SecureAppCredential $id -VaultName any -CertificateName renewed).CertificateThumbprint
            (New-SecureAppCredential $id -VaultName any -CertificateName renewed -CertificateVersion $version -RemoteSigning).CertificateThumbprint
            """,
            version).Succeeded();

        Assert.Equal([second, first], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_row_whose_certificate_is_missing_leaves_the_others()
    {
        Import("here");

        Outcome outcome = _engine.Run(
            "'missing', 'here' | & { process { [pscustomobject]@{ ClientId = $id; CertificateName = $_ } } } | New-SecureAppCredential -VaultName any");

        Assert.Null(outcome.Failure);
        Assert.Contains("'missing'", Assert.Single(outcome.Errors).Exception.Message);
        Assert.Equal(_sandbox.Facts.ApplicationId, Assert.Single(outcome.Errors).TargetObject);
        Assert.Equal("certificate", Assert.Single(outcome.Output).Properties["Proof"].Value);
    }

    [Fact]
    public void A_certificate_that_ends_soon_is_warned_about()
    {
        Import("soon", days: 20);

        Outcome outcome = _engine.Run("$null = New-SecureAppCredential $id -VaultName any -CertificateName soon -RemoteSigning").Succeeded();

        Assert.Contains("expires on", Assert.Single(outcome.Warnings));
    }

    [Theory]
    [InlineData("/certificates/", "ForbiddenByRbac", "", "'Key Vault Certificate User' (certificates/get)")]
    [InlineData("/certificates/", "AccessDenied", "", "the permission certificates/get")]
    [InlineData("/certificates/", "ForbiddenByFirewall", "", "The vault's firewall")]
    [InlineData("/secrets/app", "ForbiddenByRbac", "", "'Key Vault Secrets User' (secrets/get)")]
    [InlineData("/secrets/app", "AccessDenied", "", "the permission secrets/get")]
    [InlineData("/sign", "ForbiddenByRbac", "-RemoteSigning", "'Key Vault Crypto User' (keys/sign)")]
    [InlineData("/sign", "AccessDenied", "-RemoteSigning", "the permission keys/sign")]
    public void A_missing_permission_is_named(string path, string code, string how, string advice)
    {
        Import("app");
        _sandbox.AddFault(new
        {
            match = new { service = "keyVault", pathContains = path },
            times = -1,
            action = new { kind = "status", status = 403, body = "{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\",\"innererror\":{\"code\":\"" + code + "\"}}}" },
        });

        Outcome outcome = _engine.Run($"{Ask} (New-SecureAppCredential $id -VaultName any -CertificateName app {how})");

        ErrorRecord error = outcome.FailureRecord ?? Assert.Single(outcome.Errors);
        Assert.Equal(ErrorCategory.PermissionDenied, error.CategoryInfo.Category);
        Assert.Contains(advice, error.ErrorDetails.RecommendedAction);
    }

    /// <summary>Who asks the vault to sign may have its own key on a card, whose thread ends with the last credential that needs it.</summary>
    [Fact]
    public void Who_asks_the_vault_is_there_as_long_as_the_credential()
    {
        Import("kept", exportable: false);
        WeakReference access = Make();
        for (int i = 0; i < 5; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.True(access.IsAlive);
        Assert.Single(_engine.Run("Clear-SecureAppTokenCache -Environment $sandbox.Environment; " + Ask + "$c").Succeeded().Output);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference Make()
    {
        X509Certificate2 certificate = TestCertificates.Registered(_sandbox, "CN=Card");
        _engine.Set("public", X509CertificateLoader.LoadCertificate(certificate.RawData));
        _engine.Set("card", new KeptKey(certificate.GetRSAPrivateKey()!));
        Outcome outcome = _engine.Run(
            """
            $global:access = New-SecureAppCredential $id -Certificate $public -PrivateKey $card -TenantId $sandbox.PartnerTenantId
            $global:c = New-SecureAppCredential $id -VaultName any -CertificateName kept -RemoteSigning -VaultCredential $access
            $access
            """).Succeeded();
        var found = new WeakReference(Assert.Single(outcome.Output).BaseObject);
        _engine.Run("$global:access = $null; $global:card = $null; $global:public = $null").Succeeded();
        return found;
    }

    private X509Certificate2 Import(string name, bool exportable = true, double days = 90)
    {
        X509Certificate2 certificate = TestCertificates.Create("CN=" + name, days: days);
        TestCertificates.Register(_sandbox, certificate);
        VaultCertificate.Import(_engine, _sandbox, name, certificate, VaultCertificate.Pkcs12, exportable);
        return certificate;
    }
}
