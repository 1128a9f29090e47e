using System.Management.Automation;
using System.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.Certificates;

namespace SecureAppModel.Commands
{
    /// <content>A certificate in place of the secret.</content>
    public sealed partial class NewSecureAppCredentialCommand
    {
        /// <summary>A PFX, PEM or DER file with the certificate and its key, or a place on the Cert: drive.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ApplicationSet)]
        [Alias("CertificateFilePath")]
        public string? CertificatePath { get; set; }

        /// <summary>The key's file where it is not in the certificate's.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ApplicationSet)]
        public string? CertificateKeyPath { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ApplicationSet)]
        [SecretTransformation(Trim = false)]
        public SecureString? CertificatePassword { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ApplicationSet)]
        public X509Certificate2? Certificate { get; set; }

        /// <summary>The key of -Certificate where it is kept elsewhere: in an HSM, a token or a vault.</summary>
        [Parameter(ParameterSetName = ApplicationSet)]
        public RSA? PrivateKey { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ApplicationSet)]
        [Alias("Thumbprint")]
        public string? CertificateThumbprint { get; set; }

        [Parameter(ParameterSetName = ApplicationSet)]
        [Parameter(ParameterSetName = KeyVaultSet)]
        [ValidateSet("PS256", "RS256")]
        public string? AssertionAlgorithm { get; set; }

        private CertificateParts CertificateGiven() => new CertificateParts
        {
            Path = CertificateFields.FullPath(NotEmpty(CertificatePath), GetUnresolvedProviderPathFromPSPath),
            KeyPath = CertificateFields.FullPath(NotEmpty(CertificateKeyPath), GetUnresolvedProviderPathFromPSPath),
            Password = NotEmpty(CertificatePassword),
            Certificate = Certificate,
            PrivateKey = PrivateKey,
            Thumbprint = IsOf(Certificate, CertificateThumbprint) ? null : NotEmpty(CertificateThumbprint),
            Algorithm = AssertionAlgorithm,
        };

        /// <summary>What New-SecureAppCertificate makes comes with both.</summary>
        private static bool IsOf(X509Certificate2? certificate, string? thumbprint) =>
            string.Equals(certificate?.Thumbprint, thumbprint, System.StringComparison.OrdinalIgnoreCase);

        private static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
    }
}
