using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.KeyVault;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>
/// Makes certificates in every form of <see cref="CertificateSource"/>, each once and when it is first asked for, and registers
/// them with the application of a sandbox of its own.
/// </summary>
public sealed class CertificateWorkshop : IDisposable
{
    /// <summary>Of files that programs make: their arguments are not Unicode everywhere.</summary>
    public const string Password = "pass word 1";

    private const string Umlauts = " pass word \u00e4\u20ac ";

    private readonly TestCertificates _files = new();
    private readonly Dictionary<string, bool> _made = [];
    private readonly Dictionary<string, X509Certificate2> _registered = [];

    public CertificateWorkshop()
    {
        Engine = Engine.Open().Join(Sandbox);
        Own = Registered(TestCertificates.Create("CN=Own"));
        Write("own.crt", Own.ExportCertificatePem());
        Write("own.key", Own.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        Engine.Set("id", Sandbox.Facts.ApplicationId);
        Engine.Set("f", _files.Folder);
        Engine.Set("p", Password);
        Engine.Set("umlauts", Umlauts);
        Engine.Set("own", Own);
        Engine.Set("public", X509CertificateLoader.LoadCertificate(Own.RawData));
        Engine.Set("kept", new KeptKey(Own.GetRSAPrivateKey()!));
    }

    public Sandbox Sandbox { get; } = Sandbox.Start("--tenants", "1", "--records", "0");

    /// <summary>A session that knows the sandbox and the variables of the table.</summary>
    public Engine Engine { get; }

    /// <summary>A self-signed certificate of .NET; <c>own.crt</c> and <c>own.key</c> (PKCS #8) in the folder.</summary>
    public X509Certificate2 Own { get; }

    /// <summary>Makes a source; false where the program for it is not installed.</summary>
    public bool Has(CertificateSource source) => Once(source.Name, () => source.Make(this));

    /// <summary>Makes something that more than one row needs, when the first one does.</summary>
    public bool Once(string name, Func<bool> make) => _made.TryGetValue(name, out bool done) ? done : _made[name] = make();

    /// <summary>A certificate that the application has, by its thumbprint.</summary>
    public X509Certificate2 Known(string thumbprint) => _registered[thumbprint];

    /// <summary>Runs a script with the table's variables in a process of its own, whose home is in the folder.</summary>
    public IReadOnlyList<string> RunAlone(string script)
    {
        SandboxFacts facts = Sandbox.Facts;
        using ChildEngine child = ChildEngine.StartWith(
            [("HOME", Directory.CreateDirectory(_files.Path("home")).FullName)],
            "param($module, $environment, $ca, $login, $id, $customer, $f, $p, $thumbprint, $installed)\n"
                + "Import-Module $module\n"
                + "[void](Add-SecureAppEnvironment -Name $environment -LoginEndpoint $login -CertificatePath $ca)\n"
                + "Set-SecureAppDefault -Environment $environment\n"
                + script,
            Repository.Manifest, facts.Environment, facts.CertificatePath, facts.Endpoints["login"], facts.ApplicationId, facts.Tenants[0].TenantId,
            _files.Folder, Password, Own.Thumbprint, _registered.Values.FirstOrDefault(certificate => certificate.Subject == "CN=Installed")?.Thumbprint ?? string.Empty);
        return child.Wait().Succeeded().Lines;
    }

    public bool OpenSsl(params string[] arguments) => _files.OpenSsl(arguments);

    public bool Run(string program, params string[] arguments) => _files.Run(program, arguments);

    public bool Write(string name, byte[] content) => _files.Write(name, content).Length > 0;

    public bool Write(string name, string content) => _files.Write(name, content).Length > 0;

    public bool Join(string target, params string[] parts) =>
        Write(target, string.Concat(parts.Select(part => File.ReadAllText(_files.Path(part)) + "\n")));

    /// <summary>A PFX by the openssl program.</summary>
    public bool Pfx(string target, params string[] options) =>
        OpenSsl(["pkcs12", "-export", "-in", "own.crt", "-inkey", "own.key", "-out", target, .. options]);

    /// <summary>The key in another form, by the openssl program.</summary>
    public bool Key(string target, params string[] command) => OpenSsl([.. command, "-in", "own.key", "-out", target]);

    /// <summary><c>locked.key</c>: PKCS #8, encrypted.</summary>
    public bool Locked() => Once("locked.key", () => Key("locked.key", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:" + Password));

    /// <summary><c>leaf.crt</c> with <c>leaf.key</c>, issued by the second of the two authorities in <c>above.pem</c>.</summary>
    public bool Chain() => Once("chain", () =>
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using RSA rootKey = RSA.Create(2048);
        using RSA middleKey = RSA.Create(2048);
        using RSA leafKey = RSA.Create(2048);
        using X509Certificate2 root = Request("CN=Root", rootKey, authority: true).CreateSelfSigned(now.AddDays(-1), now.AddDays(300));
        using X509Certificate2 middle = Request("CN=Middle", middleKey, authority: true).Create(root, now.AddDays(-1), now.AddDays(200), [1]);
        using X509Certificate2 issuer = middle.CopyWithPrivateKey(middleKey);
        X509Certificate2 leaf = Registered(Request("CN=Leaf", leafKey, authority: false).Create(issuer, now.AddDays(-1), now.AddDays(100), [2]));
        return Write("above.pem", root.ExportCertificatePem() + "\n" + middle.ExportCertificatePem())
            && Write("leaf.crt", leaf.ExportCertificatePem())
            && Write("leaf.key", leafKey.ExportPkcs8PrivateKeyPem());
    });

    public bool InVault(string name, string contentType, bool exportable)
    {
        VaultCertificate.Import(Engine, Sandbox, name, Own, contentType, exportable);
        return true;
    }

    /// <summary>The certificate of .NET in the store of the other process.</summary>
    public bool Installed() => Write("install.pfx", Own.Export(X509ContentType.Pfx, Password)) && RunAlone(
        """
        $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new("$f/install.pfx", $p, 'PersistKeySet')
        $store = [System.Security.Cryptography.X509Certificates.X509Store]::new('My', 'CurrentUser')
        $store.Open('ReadWrite'); $store.Add($certificate); $store.Dispose()
        """) is not null;

    /// <summary><c>$made</c>, with <c>made.pfx</c> and <c>made.locked.pem</c>.</summary>
    public bool Made() => Once("made", () => FromCommand(
        "made.cer", "$global:made = New-SecureAppCertificate Made -CerPath $f/made.cer -PfxPath $f/made.pfx -PemPath $f/made.locked.pem -Password $umlauts"));

    /// <summary><c>made3.pfx</c>.</summary>
    public bool Made3() => FromCommand(
        "made3.cer", "$null = New-SecureAppCertificate Made3 -CerPath $f/made3.cer -PfxPath $f/made3.pfx -Password $umlauts -CryptoAlgorithmOption TripleDES_SHA1");

    /// <summary><c>made.pem</c>.</summary>
    public bool MadeOpen() => FromCommand("open.cer", "$null = New-SecureAppCertificate Open -CerPath $f/open.cer -PemPath $f/made.pem -WarningAction SilentlyContinue");

    /// <summary>One in the store of the other process.</summary>
    public bool MadeInstalled()
    {
        RunAlone("$null = New-SecureAppCertificate Installed -CertStoreLocation Cert:\\CurrentUser\\My -CerPath $f/installed.cer");
        Registered(X509CertificateLoader.LoadCertificateFromFile(_files.Path("installed.cer")));
        return true;
    }

    public void Dispose()
    {
        Engine.Dispose();
        Sandbox.Dispose();
        _files.Dispose();
        if (OperatingSystem.IsWindows())
        {
            // There the store is the user's own, whatever the home.
            using X509Store store = new(StoreName.My, StoreLocation.CurrentUser);
            store.Open(OpenFlags.ReadWrite);
            foreach (X509Certificate2 certificate in _registered.Values)
            {
                store.Remove(certificate);
            }
        }
    }

    private bool FromCommand(string cer, string script)
    {
        Engine.Run(script).Succeeded();
        Registered(X509CertificateLoader.LoadCertificateFromFile(_files.Path(cer)));
        return true;
    }

    private X509Certificate2 Registered(X509Certificate2 certificate)
    {
        TestCertificates.Register(Sandbox, certificate);
        return _registered[certificate.Thumbprint] = certificate;
    }

    private static CertificateRequest Request(string subject, RSA key, bool authority)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, critical: true));
        return request;
    }
}
