using System.Management.Automation;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.IdentityModel.Tokens;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>New-SecureAppCertificate as its user sees it; what its files are good for is in CertificateMatrixTests.</summary>
public sealed class NewCertificateTests : IDisposable
{
    private const string Password = " pass word \u00e4 ";

    private readonly Engine _engine = Engine.Open();
    private readonly TestCertificates _files = new();

    public NewCertificateTests()
    {
        _engine.Set("f", _files.Folder);
        _engine.Set("password", Password);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _files.Dispose();
    }

    [Fact]
    public void What_it_says_is_what_the_certificate_says()
    {
        PSObject made = Assert.Single(_engine.Run(
            "New-SecureAppCertificate 'CN=\"Contoso, Ltd.\", OU=SAM, O=Contoso' -DnsName app.contoso.com -KeyLength 3072 -Days 30 -CerPath $f/a.cer -PfxPath $f/a.pfx -Password $password").Succeeded().Output);
        using X509Certificate2 file = X509CertificateLoader.LoadCertificateFromFile(_files.Path("a.cer"));
        object? Said(string name) => made.Properties[name].Value;

        Assert.Equal("CN=\"Contoso, Ltd.\", OU=SAM, O=Contoso", file.Subject);
        Assert.Equal(file.Subject, file.Issuer);
        Assert.Equal(file.Thumbprint, Said("Thumbprint"));
        Assert.Equal(file.GetCertHashString(HashAlgorithmName.SHA256), Said("ThumbprintSha256"));
        Assert.Equal(Base64UrlEncoder.Encode(file.GetCertHash(HashAlgorithmName.SHA256)), Said("X5tS256"));
        Assert.Equal(file.NotBefore.ToUniversalTime(), ((DateTimeOffset)Said("NotBefore")!).UtcDateTime);
        Assert.Equal(file.NotAfter.ToUniversalTime(), ((DateTimeOffset)Said("NotAfter")!).UtcDateTime);
        Assert.Equal(3072, Said("KeyLength"));
        Assert.Equal(3072, file.GetRSAPublicKey()!.KeySize);
        Assert.Equal(TimeSpan.FromDays(30) + TimeSpan.FromMinutes(10), file.NotAfter - file.NotBefore);
        Assert.False(file.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.Equal(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, file.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        Assert.Equal("1.3.6.1.5.5.7.3.2", Assert.Single(file.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>()).Value);
        Assert.Equal(["app.contoso.com"], file.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames());
        Assert.Single(file.Extensions.OfType<X509SubjectKeyIdentifierExtension>());

        using var held = (X509Certificate2)Said("Certificate")!;
        Assert.Equal(file.Thumbprint, held.Thumbprint);
        byte[] data = [1];
        byte[] signature = held.GetRSAPrivateKey()!.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        Assert.True(file.GetRSAPublicKey()!.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
        using X509Certificate2 pfx = X509CertificateLoader.LoadPkcs12FromFile(_files.Path("a.pfx"), Password);
        Assert.Equal(file.Thumbprint, pfx.Thumbprint);
    }

    [Fact]
    public void The_thumbprints_are_shown_and_the_key_nowhere()
    {
        Outcome outcome = _engine.Run(
            """
            $global:made = New-SecureAppCertificate Shown -PemPath $f/a.pem -PfxPath $f/a.pfx -Password $password -Verbose -Debug
            $made; "$made"
            foreach ($property in $made.psobject.Properties) { "$($property.Name)=$($property.Value)" }
            [System.Management.Automation.PSSerializer]::Serialize($made, 5)
            """).Succeeded();
        string screen = _engine.Render("$made") + _engine.Render("@(Get-SecureAppEnvironment)[0]; $made");

        foreach (string name in new[] { "Thumbprint", "ThumbprintSha256", "X5tS256" })
        {
            Assert.Contains((string)outcome.Output[0].Properties[name].Value, screen);
        }

        using RSA key = ((X509Certificate2)outcome.Output[0].Properties["Certificate"].Value).GetRSAPrivateKey()!;
        string all = outcome.AllText + screen;
        Assert.DoesNotContain(Password.Trim(), all);
        Assert.DoesNotContain(Convert.ToBase64String(key.ExportParameters(true).P!)[..24], all);
        Assert.DoesNotContain("PRIVATE", all);
        Assert.DoesNotContain("RawData", all);
        Assert.Empty(outcome.Warnings);
    }

    [Fact]
    public void It_stands_where_a_certificate_is_taken()
    {
        Outcome outcome = _engine.Run(
            """
            function Connect-Something([System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate) { $Certificate.Thumbprint }
            $made = New-SecureAppCertificate Any -PfxPath $f/a.pfx -Password $password
            $made.Thumbprint
            Connect-Something -Certificate $made
            Set-SecureAppDefault -Credential @{ appId = '11111111-2222-3333-4444-555555555555'; certificate = $made }
            (Get-SecureAppDefault).Credential.CertificateThumbprint
            """).Succeeded();

        Assert.Equal(3, outcome.Output.Count);
        Assert.Single(outcome.Output.Select(line => line.BaseObject).Distinct());
    }

    [Theory]
    [InlineData("", "lost with it")]
    [InlineData("-CerPath $f/a.cer", "lost with it")]
    [InlineData("-PemPath $f/a.pem", "without a password")]
    public void A_key_that_nothing_keeps_or_nothing_protects_is_warned_about(string arguments, string said) =>
        Assert.Contains(said, Assert.Single(_engine.Run("$null = New-SecureAppCertificate Any " + arguments).Succeeded().Warnings));

    [Fact]
    public void A_path_is_relative_to_the_sessions_location_and_may_be_replaced_by_force_alone()
    {
        _engine.Run("[void]$ExecutionContext.SessionState.Path.SetLocation($f)").Succeeded();
        string first = _engine.Run("(New-SecureAppCertificate Any -CerPath ./a.cer -PemPath ./a.pem -Password $password).Thumbprint").Succeeded().Single<string>();

        ErrorRecord error = _engine.Refused("New-SecureAppCertificate Any -CerPath a.cer");
        Assert.Contains(_files.Path("a.cer") + " is there already", error.Exception.Message);
        Assert.Equal(first, X509CertificateLoader.LoadCertificateFromFile(_files.Path("a.cer")).Thumbprint);

        string second = _engine.Run("(New-SecureAppCertificate Any -CerPath a.cer -PemPath a.pem -Password $password -Force).Thumbprint").Succeeded().Single<string>();
        Assert.Equal(second, X509CertificateLoader.LoadCertificateFromFile(_files.Path("a.cer")).Thumbprint);
        Assert.Equal(second, X509Certificate2.CreateFromEncryptedPemFile(_files.Path("a.pem"), Password).Thumbprint);
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void WhatIf_says_where_and_makes_nothing()
    {
        Outcome outcome = _engine.Run("New-SecureAppCertificate Any -CerPath $f/a.cer -PfxPath $f/a.pfx -WhatIf").Succeeded();

        Assert.Empty(outcome.Output);
        Assert.Contains("a.cer, ", outcome.Screen);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_files.Folder));
    }

    [Theory]
    [InlineData("", "has no subject")]
    [InlineData("Any -KeyLength 1024", "1024 bits is too short")]
    [InlineData("Any -Days 0", "0 days")]
    [InlineData("Any -DnsName 'no name'", "DNS name")]
    [InlineData("Any -PfxPath $f/a.pfx -Password ''", "password is empty")]
    [InlineData("Any -PfxPath $f/a.pfx -Password $null", "password is empty")]
    [InlineData("Any -CerPath $f/a.cer -Password x", "without a file")]
    [InlineData("Any -PfxPath ''", "-PfxPath is empty")]
    [InlineData("Any -PfxPath env:a", "holds no files")]
    [InlineData("Any -PfxPath $f", "is a folder")]
    [InlineData("Any -PfxPath $f/none/a.pfx", "does not exist")]
    [InlineData("Any -CertStoreLocation ''", "certificate store")]
    [InlineData("Any -CertStoreLocation Cert:\\CurrentUser\\Root", "certificate store")]
    [InlineData("Any -CertStoreLocation Cert:\\CurrentUser\\My\\0123", "certificate store")]
    public void What_cannot_be_made_is_refused_and_nothing_is_written(string arguments, string said)
    {
        ErrorRecord error = _engine.Refused("New-SecureAppCertificate " + arguments);

        Assert.Contains(said, error.Exception.Message);
        Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_files.Folder));
    }

    [Fact]
    public void Only_Windows_has_a_store_of_the_machine()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "It has one.");

        Assert.Contains("Only Windows", _engine.Refused(@"New-SecureAppCertificate Any -CertStoreLocation Cert:\LocalMachine\My").Exception.Message);
    }

    [Fact]
    public void A_store_that_refuses_leaves_the_files_and_the_object()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Its store does not depend on a home.");
        string home = Directory.CreateDirectory(_files.Path("home")).FullName;
        File.WriteAllText(Path.Combine(home, ".dotnet"), "a file where the folder of the store would be");
        using ChildEngine child = ChildEngine.StartWith(
            [("HOME", home)],
            """
            param($module, $f)
            Import-Module $module
            $made = New-SecureAppCertificate Any -CertStoreLocation Cert:\CurrentUser\My -PfxPath $f/a.pfx -Password secret -ErrorVariable failed -ErrorAction SilentlyContinue
            "$failed"; $made.Certificate.HasPrivateKey; "[$($made.CertStoreLocation)]"
            """,
            Repository.Manifest, _files.Folder);

        IReadOnlyList<string> lines = child.Wait().Lines;

        Assert.Contains(@"cannot be installed in Cert:\CurrentUser\My", lines[0]);
        Assert.Equal(["True", "[]"], lines.Skip(1));
        Assert.True(File.Exists(_files.Path("a.pfx")));
    }

    /// <summary>The thread that looks for primes cannot be told to stop; the process does not wait for it and does not fall over it.</summary>
    [Fact]
    public void A_process_ends_while_a_key_that_nobody_waits_for_is_being_made()
    {
        using ChildEngine child = ChildEngine.Start(
            "param($module, $f) Import-Module $module; 'begun'; New-SecureAppCertificate Any -KeyLength 16384 -PemPath $f/a.pem", Repository.Manifest, _files.Folder);
        Assert.Equal("begun", child.ReadLine());

        child.Stop();
        Assert.Equal("stopped", child.ReadLine());
        child.Process.StandardInput.Close();
        ChildResult ended = child.Wait();

        Assert.Equal((1, string.Empty), (ended.ExitCode, ended.Errors));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_files.Folder));
    }
}
