using System;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>A certificate that was made, and where it is. Piped to New-SecureAppCredential it proves an application.</summary>
    /// <remarks>The key is with <see cref="Certificate"/> alone; nothing else here, and no serialised copy, holds it.</remarks>
    public sealed class SecureAppCertificate
    {
        internal SecureAppCertificate(ValueMap facts, X509Certificate2 certificate, string? certStoreLocation)
        {
            Subject = facts.Text("subject");
            Thumbprint = facts.Text("thumbprint");
            ThumbprintSha256 = facts.Text("thumbprintSha256");
            X5tS256 = facts.Text("x5tS256");
            NotBefore = facts.Time("notBefore") ?? default;
            NotAfter = facts.Time("notAfter") ?? default;
            KeyLength = (int)facts.Int("keyLength");
            CerPath = facts.OptionalText("cerPath");
            PfxPath = facts.OptionalText("pfxPath");
            PemPath = facts.OptionalText("pemPath");
            CertStoreLocation = certStoreLocation;
            Certificate = certificate;
        }

        public string Subject { get; }

        /// <summary>SHA-1, as Windows and the app registration show it.</summary>
        public string Thumbprint { get; }

        /// <summary>SHA-256, in hexadecimal digits.</summary>
        public string ThumbprintSha256 { get; }

        /// <summary>SHA-256 in base64url, as the header x5t#S256 of an assertion has it.</summary>
        public string X5tS256 { get; }

        public DateTimeOffset NotBefore { get; }

        public DateTimeOffset NotAfter { get; }

        /// <summary>In bits.</summary>
        public int KeyLength { get; }

        /// <summary>The certificate alone, for the app registration.</summary>
        public string? CerPath { get; }

        public string? PfxPath { get; }

        public string? PemPath { get; }

        /// <summary>The store that it was installed in.</summary>
        public string? CertStoreLocation { get; }

        /// <summary>With its private key.</summary>
        public X509Certificate2 Certificate { get; }

        /// <summary>Lets it stand where a command takes a certificate.</summary>
        public static implicit operator X509Certificate2(SecureAppCertificate made) => made.Certificate;

        public override string ToString() => Subject + " (" + Thumbprint + ")";
    }
}
