using System.Management.Automation;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>Certificates in every shape that PowerShell has them in, each until a token comes back.</summary>
public sealed class CertificateCredentialTests(SharedSandbox shared) : IClassFixture<SharedSandbox>, IDisposable
{
    private const string Password = " pass word \u00e4 ";

    private readonly Engine _engine = Engine.Open().Join(shared.Sandbox);
    private readonly TestCertificates _files = new();

    private static readonly string[] s_questions =
    [
        "-Resource 'https://graph.microsoft.com'",
        "-Scope 'https://graph.microsoft.com/.default'",
    ];

    public void Dispose()
    {
        _engine.Dispose();
        _files.Dispose();
    }

    [Theory]
    [InlineData("New-SecureAppCredential $id -CertificatePath $pfx -CertificatePassword $password {0}")]
    [InlineData("New-SecureAppCredential $id -CertificatePath $pem {0}")]
    [InlineData("New-SecureAppCredential $id -CertificatePath $cer -CertificateKeyPath $key -CertificatePassword $password {0}")]
    [InlineData("New-SecureAppCredential $id -Certificate $certificate {0}")]
    [InlineData("New-SecureAppCredential $id -Certificate $public -PrivateKey $kept {0}")]
    public void Every_source_gets_tokens_with_both_algorithms_from_both_endpoints(string command)
    {
        Prepare(TestCertificates.Registered(shared.Sandbox));
        foreach (string algorithm in new[] { "", "-AssertionAlgorithm PS256", "-AssertionAlgorithm RS256" })
        {
            foreach (string question in s_questions)
            {
                PSObject token = Assert.Single(_engine.Run(
                    $"$c = {string.Format(command, algorithm)}; Get-SecureAppAccessToken -Credential $c -TenantId $customer -ForceRefresh {question}").Succeeded().Output);

                Assert.Equal("2", Claim(token, "appidacr"));
            }
        }
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

    [Theory]
    [InlineData("-CertificatePath $pfx -CertificatePassword wrong", "CertificatePassword", "the password does not open")]
    [InlineData("-CertificatePath $pfx", "CertificatePassword", "no password was given")]
    [InlineData("-CertificatePath $cer", "CertificateNoKey", "no private key")]
    [InlineData("-CertificatePath $cer -CertificateKeyPath $otherKey", "CertificateKeyMismatch", "does not belong")]
    [InlineData("-Certificate $public", "", "without its private key")]
    [InlineData("-Certificate $weak", "CertificateKeyWeak", "1024 bits")]
    [InlineData("-Certificate $elliptic", "", "not an RSA key")]
    [InlineData("-Certificate $expired", "CertificateExpired", "expired on")]
    [InlineData("-Certificate $early", "CertificateNotYetValid", "not valid before")]
    [InlineData("-CertificatePath $damaged", "CertificateUnreadable", "damaged")]
    [InlineData("-CertificatePath /nowhere/a.pfx", "", "/nowhere/a.pfx")]
    [InlineData("-CertificateThumbprint 0123456789012345678901234567890123456789", "", "No certificate with the thumbprint 0123456789012345678901234567890123456789")]
    [InlineData("-CertificateThumbprint Sx8~a-secret-in-the-wrong-place", "", "is not one")]
    [InlineData("-CertificatePath $pfx -Certificate $certificate", "", "More than one certificate")]
    [InlineData("-CertificatePassword x", "", "without a certificate file")]
    [InlineData("-PrivateKey $kept", "", "without its certificate")]
    [InlineData("-Secret x -AssertionAlgorithm PS256", "", "without a certificate")]
    [InlineData("-Secret x -Certificate $certificate", "", "both a secret and a certificate")]
    public void What_cannot_work_says_why(string arguments, string id, string said)
    {
        using X509Certificate2 certificate = TestCertificates.Create();
        Prepare(certificate);
        using X509Certificate2 other = TestCertificates.Create();
        using ECDsa elliptic = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        _engine.Set("otherKey", _files.Write("other.key", other.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem()));
        _engine.Set("weak", TestCertificates.Create(bits: 1024));
        _engine.Set("elliptic", new CertificateRequest("CN=Curve", elliptic, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(9)));
        _engine.Set("expired", TestCertificates.Create(days: -1));
        using RSA key = RSA.Create(2048);
        _engine.Set("early", new CertificateRequest("CN=Early", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(now.AddDays(1), now.AddDays(9)));
        _engine.Set("damaged", _files.Write("damaged.pfx", certificate.Export(X509ContentType.Pfx, Password)[..200]));

        ErrorRecord error = _engine.Refused("New-SecureAppCredential $id " + arguments);

        Assert.Contains(said, error.Exception.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(id, PSObject.AsPSObject(error.Exception).Properties["Id"].Value);
        Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
        Assert.DoesNotContain("Sx8~", error.ToString() + error.Exception + error.TargetObject);
        Assert.DoesNotContain(Password.Trim(), error.ToString() + error.Exception + error.TargetObject);
    }

    [Fact]
    public void A_pfx_of_an_old_Windows_is_opened_by_dotnet()
    {
        using X509Certificate2 certificate = TestCertificates.Registered(shared.Sandbox);
        _files.Write("all.pem", certificate.ExportCertificatePem() + "\n" + certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        // In a process of its own: .NET makes OpenSSL's old algorithms known to all of a process when it needs them.
        Assert.SkipUnless(_files.OpenSsl("pkcs12", "-export", "-legacy", "-in", "all.pem", "-out", "old.pfx", "-passout", "pass:old"), "This machine's openssl has no legacy provider.");
        SandboxFacts facts = shared.Sandbox.Facts;

        ChildResult result = ChildEngine.Run(
            """
            param($module, $environment, $ca, $login, $id, $pfx, $tenant)
            Import-Module $module
            [void](Add-SecureAppEnvironment -Name $environment -LoginEndpoint $login -CertificatePath $ca)
            $credential = New-SecureAppCredential $id -CertificatePath $pfx -CertificatePassword old
            (Get-SecureAppAccessToken -Credential $credential -TenantId $tenant -Resource https://graph.microsoft.com -Environment $environment).TenantId
            """,
            Repository.Manifest, facts.Environment, facts.CertificatePath, facts.Endpoints["login"], facts.ApplicationId, _files.Path("old.pfx"), facts.Tenants[0].TenantId).Succeeded();

        Assert.Equal([facts.Tenants[0].TenantId], result.Lines);
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
        RSA key = certificate.GetRSAPrivateKey()!;
        string certificatePem = certificate.ExportCertificatePem();
        string keyPem = key.ExportPkcs8PrivateKeyPem();
        _engine.Set("id", shared.Sandbox.Facts.ApplicationId);
        _engine.Set("password", Password);
        _engine.Set("certificate", certificate);
        _engine.Set("public", X509CertificateLoader.LoadCertificate(certificate.RawData));
        _engine.Set("kept", new KeptKey(key));
        _engine.Set("pfx", _files.Write("a.pfx", certificate.Export(X509ContentType.Pfx, Password)));
        _engine.Set("pem", _files.Write("a.pem", keyPem + "\n" + certificatePem));
        _engine.Set("cer", _files.Write("a.cer", certificate.RawData));
        _engine.Set("key", _files.Write("a.key", key.ExportEncryptedPkcs8PrivateKeyPem(Password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 2000))));
    }
}
