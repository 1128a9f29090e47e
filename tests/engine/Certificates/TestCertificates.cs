using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>A folder of made-up certificates, removed at the end.</summary>
public sealed class TestCertificates : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("secureapp-certificates-");

    /// <summary>A self-signed RSA certificate that is valid from a day ago, or from <paramref name="from"/> days.</summary>
    public static X509Certificate2 Create(string subject = "CN=Test", int bits = 2048, double days = 365, double from = -1)
    {
        using RSA key = RSA.Create(bits);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now.AddDays(Math.Min(from, days - 1)), now.AddDays(days));
    }

    /// <summary>The same, registered with the sandbox's application.</summary>
    public static X509Certificate2 Registered(Sandbox sandbox, string subject = "CN=Test")
    {
        X509Certificate2 certificate = Create(subject);
        Register(sandbox, certificate);
        return certificate;
    }

    public static void Register(Sandbox sandbox, X509Certificate2 certificate) =>
        sandbox.Send(HttpMethod.Post, "sandbox/certificates", new { certificate = certificate.ExportCertificatePem() });

    public string Folder => _folder.FullName;

    public string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    public string Write(string name, byte[] content)
    {
        File.WriteAllBytes(Path(name), content);
        return Path(name);
    }

    public string Write(string name, string content)
    {
        File.WriteAllText(Path(name), content);
        return Path(name);
    }

    /// <summary>Runs the openssl program in the folder; false where it cannot do that.</summary>
    public bool OpenSsl(params string[] arguments) => Run("openssl", arguments);

    /// <summary>Runs a program in the folder; false where it is not installed or cannot do that.</summary>
    public bool Run(string program, params string[] arguments)
    {
        try
        {
            return Within.Run(new ProcessStartInfo(program, arguments) { WorkingDirectory = _folder.FullName }).Exit == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    public void Dispose() => Recorder.HearAndDelete(_folder.FullName);
}
