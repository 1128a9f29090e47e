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

        protected override void ProcessRecord()
        {
            if (string.IsNullOrWhiteSpace(Name))
            {
                FailInput("No certificate was named.", "Use -Name with the certificate's name in the vault.", null);
            }

            using RequestBuilder request = VaultRequest("vault_certificate_get")
                .Text("name", Name!.Trim())
                .Text("version", Version?.Trim());
            Run(request);
        }

        internal override void OnRecord(ValueMap record)
        {
            byte[] certificate = record.Get("certificate") as byte[] ?? Array.Empty<byte>();
            byte[]? pkcs12 = record.Get("pkcs12") is byte[] text ? Decode(text) : null;
            try
            {
                if (pkcs12 is null)
                {
                    WriteWarning(
                        "The key of '" + record.Text("name") + "' cannot leave the vault: the certificate comes without it. "
                        + "Use another certificate, whose policy lets the key out, where the key itself is needed.");
                }

                WriteObject(Guarded(() => pkcs12 is null ? new X509Certificate2(certificate) : Open(pkcs12, record.Text("name")), new ObjectName(Name)));
            }
            finally
            {
                if (pkcs12 is not null)
                {
                    Array.Clear(pkcs12, 0, pkcs12.Length);
                }
            }
        }

        private static X509Certificate2 Open(byte[] pkcs12, string name)
        {
            try
            {
                return new X509Certificate2(pkcs12, string.Empty, KeyStorage.Flags());
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

        /// <summary>Decodes Base64 without a string of it, and clears what it came in.</summary>
        private static byte[] Decode(byte[] text)
        {
            char[] characters = Utf8.Chars(text, 0, text.Length);
            try
            {
                return Convert.FromBase64CharArray(characters, 0, characters.Length);
            }
            finally
            {
                Array.Clear(characters, 0, characters.Length);
                Array.Clear(text, 0, text.Length);
            }
        }
    }
}
