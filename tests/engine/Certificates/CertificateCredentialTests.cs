using System.Management.Automation;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>What goes into a credential with a certificate, and what is shown of it; the sources are in CertificateMatrixTests.</summary>
public sealed class CertificateCredentialTests(SharedSandbox shared) : IClassFixture<SharedSandbox>, IDisposable
{
    private const string Password = " pass word \u00e4 ";

    private readonly Engine _engine = Engine.Open().Join(shared.Sandbox);
    private readonly TestCertificates _files = new();

    public void Dispose()
    {
        _engine.Dispose();
        _files.Dispose();
    }

    [Theory]
    [InlineData("@{ appId = $id; certificatePath = $pfx; certificatePassword = $password }")]
    [InlineData("@{ clientId = $id; CertificateFilePath = $pfx; CertificatePassword = (ConvertTo-Secret $password) }")]
    [InlineData("@{ appId = $id; certificate = $certificate; refreshToken = $sandbox.RefreshToken }")]
    [InlineData("[pscustomobject]@{ AppId = $id; CertificatePath = $pem; AssertionAlgorithm = 'RS256' }")]
    public void A_hashtable_or_object_may_hold_a_certificate(string shape)
    {
        Prepare(TestCertificates.Registered(shared.Sandbox));

        PSObject token = Assert.Single(_engine.Run(
            $"Get-SecureAppAccessToken -Credential ({shape}) -TenantId $customer -Resource 'https://graph.microsoft.com'").Succeeded().Output);

        Assert.Equal("2", Claim(token, "appidacr"));
    }

    [Fact]
    public void A_relative_path_is_relative_to_the_sessions_location()
    {
        Prepare(TestCertificates.Registered(shared.Sandbox));

        PSObject credential = Assert.Single(_engine.Run(
            "[void]$ExecutionContext.SessionState.Path.SetLocation([IO.Path]::GetDirectoryName($pem)); New-SecureAppCredential $id -CertificatePath ./a.pem").Succeeded().Output);

        Assert.Equal(true, credential.Properties["HasCertificate"].Value);
    }

    [Fact]
    public void A_credential_shows_its_certificate_and_no_secret_of_it()
    {
        using X509Certificate2 certificate = TestCertificates.Registered(shared.Sandbox, "CN=Shown, O=Contoso");
        Prepare(certificate);
        Outcome outcome = _engine.Run(
            """
            $global:c = New-SecureAppCredential $id -CertificatePath $pfx -CertificatePassword $password -Verbose -Debug
            $c; "$c"
            foreach ($property in $c.psobject.Properties) { "$($property.Name)=$($property.Value)" }
            [System.Management.Automation.PSSerializer]::Serialize($c, 5)
            """).Succeeded();
        string all = outcome.AllText + _engine.Render("$c");

        Assert.Equal(certificate.Thumbprint, outcome.Output[0].Properties["CertificateThumbprint"].Value);
        Assert.Equal(certificate.Subject, outcome.Output[0].Properties["CertificateSubject"].Value);
        Assert.Equal(certificate.NotAfter.ToUniversalTime(), ((DateTimeOffset)outcome.Output[0].Properties["CertificateExpiresOn"].Value).UtcDateTime);
        Assert.Contains(certificate.Thumbprint, all);
        Assert.DoesNotContain(Password.Trim(), all);
        Assert.Empty(outcome.Warnings);
    }

    [Theory]
    [InlineData(29, true)]
    [InlineData(31, false)]
    public void A_certificate_that_ends_soon_is_warned_about(int days, bool warned)
    {
        using X509Certificate2 certificate = TestCertificates.Create("CN=Soon", days: days);
        Prepare(certificate);
        foreach (string command in new[] { "New-SecureAppCredential $id -Certificate $certificate", "Set-SecureAppDefault -Credential @{ appId = $id; certificate = $certificate }" })
        {
            Outcome outcome = _engine.Run(command).Succeeded();

            Assert.Equal(warned, outcome.Warnings.Any(warning => warning.Contains("CN=Soon", StringComparison.Ordinal) && warning.Contains("28 days", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void An_installed_certificate_is_found_by_its_thumbprint()
    {
        using X509Certificate2 certificate = TestCertificates.Registered(shared.Sandbox);
        string pfx = _files.Write("install.pfx", certificate.Export(X509ContentType.Pfx, "p"));
        SandboxFacts facts = shared.Sandbox.Facts;
        string sha256 = certificate.GetCertHashString(HashAlgorithmName.SHA256);

        // In a process whose home is empty, so that this user's own store stays as it is.
        ChildResult result = ChildEngine.Run(
            """
            param($module, $environment, $ca, $login, $id, $pfx, $tenant, $home2, $sha256)
            if (-not $IsWindows) { [Environment]::SetEnvironmentVariable('HOME', $home2) }
            $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($pfx, 'p', 'PersistKeySet')
            $store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
            $store.Open('ReadWrite'); $store.Add($certificate)
            try {
                Import-Module $module
                [void](Add-SecureAppEnvironment -Name $environment -LoginEndpoint $login -CertificatePath $ca)
                $copied = [char]0x200e + ($certificate.Thumbprint.ToLowerInvariant() -replace '(..)', '$1 ')
                foreach ($way in @{ CertificateThumbprint = $copied }, @{ CertificateThumbprint = $sha256 }, @{ CertificatePath = "Cert:\CurrentUser\My\$($certificate.Thumbprint)" }) {
                    $credential = New-SecureAppCredential $id @way
                    (Get-SecureAppAccessToken -Credential $credential -TenantId $tenant -Resource https://graph.microsoft.com -Environment $environment -ForceRefresh).TenantId
                }
                (Get-SecureAppAccessToken -Credential @{ appId = $id; certificateThumbprint = $certificate.Thumbprint } -TenantId $tenant -Resource https://graph.microsoft.com -Environment $environment).TenantId
            } finally { $store.Remove($certificate) }
            """,
            Repository.Manifest, facts.Environment, facts.CertificatePath, facts.Endpoints["login"], facts.ApplicationId, pfx, facts.Tenants[0].TenantId, _files.Path("home"), sha256).Succeeded();

        Assert.Equal(Enumerable.Repeat(facts.Tenants[0].TenantId, 4), result.Lines);
    }

    private static string? Claim(PSObject token, string name)
    {
        string text = (string)PSObject.AsPSObject(token).Properties["AccessToken"].Value;
        return new Microsoft.IdentityModel.JsonWebTokens.JsonWebToken(text).TryGetClaim(name, out var claim) ? claim.Value : null;
    }

    private void Prepare(X509Certificate2 certificate)
    {
        _engine.Set("id", shared.Sandbox.Facts.ApplicationId);
        _engine.Set("password", Password);
        _engine.Set("certificate", certificate);
        _engine.Set("pfx", _files.Write("a.pfx", certificate.Export(X509ContentType.Pfx, Password)));
        _engine.Set("pem", _files.Write("a.pem", certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem()));
    }
}
