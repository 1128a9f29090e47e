using System.Security.Cryptography.X509Certificates;

namespace SecureAppModel.EngineTests.Sandboxing;

/// <summary>What an HTTP client of the tests trusts.</summary>
internal static class Trust
{
    /// <summary>A handler that trusts the roots of one PEM file and nothing else.</summary>
    internal static SocketsHttpHandler Only(string certificatePath)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.ImportFromPemFile(certificatePath);
        return new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = { CertificateChainPolicy = policy },
        };
    }
}
