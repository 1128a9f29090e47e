using System;
using System.Management.Automation;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Reads a certificate from a key vault, with its private key where the vault gives it out.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppKeyVaultCertificate")]
    [OutputType(typeof(X509Certificate2))]
    public sealed class GetSecureAppKeyVaultCertificateCommand : KeyVaultCmdlet
    {
        [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
        [Alias("CertificateName")]
        public string? Name { get; set; }

        /// <summary>The newest where none is given.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string? Version { get; set; }

        internal override string? Subject => Name;

        internal override void Serve()
        {
            if (string.IsNullOrWhiteSpace(Name))
            {
                throw ErrorRecords.Refusal("No certificate was named" + InRow + ".", "Use -Name with the certificate's name in the vault.");
            }

            using RequestBuilder request = VaultRequest("vault_certificate_get")
                .Text("name", Name!.Trim())
                .Text("version", Version?.Trim());
            Run(request);
        }

        internal override void OnRecord(ValueMap record)
        {
            string name = record.Text("name");
            byte[]? withKey = record.Get("pkcs12") as byte[];
            if (withKey is null)
            {
                WriteWarning(
                    "The key of '" + name + "' cannot leave the vault: the certificate comes without it. To sign in with it, use "
                    + "New-SecureAppCredential -RemoteSigning; where the key itself is needed, use a certificate whose policy lets the key out.");
            }

            WriteObject(withKey is null
                ? new X509Certificate2(record.Get("certificate") as byte[] ?? Array.Empty<byte>())
                : Pkcs12Value.Use(withKey, pkcs12 => Open(pkcs12, name)));
        }

        private static X509Certificate2 Open(byte[] pkcs12, string name)
        {
            try
            {
                return Pkcs12Value.Open(pkcs12);
            }
            catch (CryptographicException cause)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.Protocol,
                    "The certificate '" + name + "' and its key could not be opened: " + cause.Message,
                    "Look at the certificate in the vault: its secret must hold PKCS#12 or PEM with the key.",
                    cause);
            }
        }
    }
}
