// A certificate as its user has it, and how it gets into a native request: a file by its path, which the library reads
// itself; a certificate object with the key copied where it may be, and otherwise with a signer that the key stays behind.
using System;
using System.IO;
using System.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.Commands;
using SecureAppModel.Interop;

namespace SecureAppModel.Certificates
{
    internal sealed class CertificateParts
    {
        internal const string Advice =
            "Use -CertificatePath with a PFX or PEM file, -Certificate with an X509Certificate2, or -CertificateThumbprint with one that is installed.";

        /// <summary>A file, or a place on the Cert: drive.</summary>
        internal string? Path { get; set; }

        internal string? KeyPath { get; set; }

        internal SecureString? Password { get; set; }

        internal X509Certificate2? Certificate { get; set; }

        /// <summary>The key of <see cref="Certificate"/> where it is not with it: in a token, an HSM, a vault.</summary>
        internal RSA? PrivateKey { get; set; }

        internal string? Thumbprint { get; set; }

        /// <summary>PS256 or RS256; null: what the key can do.</summary>
        internal string? Algorithm { get; set; }

        /// <summary>True where nothing names a certificate; a password or a key alone does not.</summary>
        internal bool IsEmpty => Path is null && Certificate is null && Thumbprint is null;

        /// <summary>Why the parts do not go together; null where they do.</summary>
        internal SecureAppException? Refusal()
        {
            int sources = (Path is null ? 0 : 1) + (Certificate is null ? 0 : 1) + (Thumbprint is null ? 0 : 1);
            if (sources > 1)
            {
                return Refuse("More than one certificate was given.", "Use one of -CertificatePath, -Certificate and -CertificateThumbprint.");
            }

            if (Path is null && (KeyPath is not null || Password is not null))
            {
                return Refuse(
                    (KeyPath is not null ? "A private key's file" : "A certificate's password") + " was given without a certificate file.",
                    "Use it with -CertificatePath.");
            }

            if (PrivateKey is not null && Certificate is null)
            {
                return Refuse("A private key was given without its certificate.", "Use -PrivateKey with -Certificate.");
            }

            return Algorithm is not null && sources == 0 ? Refuse("An assertion's algorithm was given without a certificate.", Advice) : null;
        }

        /// <summary>
        /// Opens a credential with the certificate. <paramref name="request"/> makes a request with everything else in it.
        /// </summary>
        internal SecureAppCredential Open(Func<RequestBuilder> request)
        {
            if (StorePath.Thumbprint(Path) is string onDrive)
            {
                return Open(request, CertificateStore.Find(onDrive), null);
            }

            if (Path is null)
            {
                return Open(request, Certificate ?? CertificateStore.Find(Thumbprint!), PrivateKey);
            }

            CheckShown(Path);
            CheckShown(KeyPath);
            try
            {
                using RequestBuilder filled = request()
                    .Text("certificatePath", Path)
                    .Text("certificateKeyPath", KeyPath)
                    .Secret("certificatePassword", Password)
                    .Text("assertionAlgorithm", Algorithm);
                return new SecureAppCredential(Native.OpenCredential(filled));
            }
            catch (SecureAppException failure) when (failure.Id == "CertificateLegacy" && KeyPath is null)
            {
                using X509Certificate2 opened = LegacyPfx.Open(Path, Password, failure);
                return Open(request, opened, null);
            }
        }

        /// <summary>The library's errors repeat the path, so what looks like a secret must at least be a file.</summary>
        private static void CheckShown(string? path)
        {
            if (path is not null && !Shown.IsPath(path) && !File.Exists(path))
            {
                throw Refuse("There is no file at the certificate's path, " + Shown.Path(path) + ".", Advice);
            }
        }

        private SecureAppCredential Open(Func<RequestBuilder> request, X509Certificate2 certificate, RSA? key)
        {
            using RequestBuilder filled = request()
                .Text("certificate", Convert.ToBase64String(certificate.RawData))
                .Text("assertionAlgorithm", Algorithm);
            RSA owned = key ?? PrivateKeys.Of(certificate);
            if (PrivateKeys.TryCopy(owned, filled))
            {
                return new SecureAppCredential(Native.OpenCredential(filled));
            }

            ExternalSigner signer = ExternalSigner.Of(certificate, owned);
            filled.Signer("signer", signer.Handle);
            return new SecureAppCredential(Native.OpenCredential(filled), signer);
        }

        internal static SecureAppException Refuse(string message, string advice, Exception? cause = null) =>
            new SecureAppException(SecureAppErrorKind.InvalidInput, message, advice, cause);
    }
}
