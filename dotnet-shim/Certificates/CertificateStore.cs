using System;
using System.Linq;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SecureAppModel.Certificates
{
    /// <summary>Finds installed certificates: Cert:\CurrentUser\My, then Cert:\LocalMachine\My; elsewhere .NET's own user store.</summary>
    internal static class CertificateStore
    {
        private const int Sha1Digits = 40;
        private const int Sha256Digits = 64;

        /// <exception cref="SecureAppException">There is none, or none with a private key.</exception>
        internal static X509Certificate2 Find(string thumbprint)
        {
            string wanted = Normalize(thumbprint);
            X509Certificate2? withoutKey = null;
            foreach (StoreLocation location in new[] { StoreLocation.CurrentUser, StoreLocation.LocalMachine })
            {
                using X509Store store = new X509Store(StoreName.My, location);
                try
                {
                    store.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
                }
                catch (Exception cause) when (cause is CryptographicException or PlatformNotSupportedException)
                {
                    // No such store: nobody has put a certificate there yet, or this system has none for the machine.
                    continue;
                }

                foreach (X509Certificate2 certificate in store.Certificates)
                {
                    if (!Matches(certificate, wanted))
                    {
                        certificate.Dispose();
                    }
                    else if (certificate.HasPrivateKey)
                    {
                        return certificate;
                    }
                    else
                    {
                        withoutKey = certificate;
                    }
                }
            }

            if (withoutKey is not null)
            {
                throw CertificateParts.Refuse(
                    "The certificate " + wanted + " (" + withoutKey.Subject + ") is installed without its private key.",
                    "Install it from a PFX file, or on the machine where it was made.");
            }

            bool windows = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);
            throw CertificateParts.Refuse(
                "No certificate with the thumbprint " + wanted + " is in " + (windows ? @"Cert:\CurrentUser\My or Cert:\LocalMachine\My." : "this user's store of .NET."),
                windows
                    ? @"Look with Get-ChildItem Cert:\CurrentUser\My, Cert:\LocalMachine\My, or use -CertificatePath. A scheduled task sees the store of the account that it runs as."
                    : "Use -CertificatePath, or install it with New-SecureAppCertificate -CertStoreLocation or .NET's X509Store.");
        }

        /// <summary>Digits alone: what is copied from Windows' dialogs has spaces, and an invisible character in front.</summary>
        private static string Normalize(string thumbprint)
        {
            string digits = new string(thumbprint.Where(Uri.IsHexDigit).ToArray()).ToUpperInvariant();
            bool foreign = thumbprint.Any(character =>
                !Uri.IsHexDigit(character) && !char.IsWhiteSpace(character) && character != ':' && character != '-' && char.GetUnicodeCategory(character) != System.Globalization.UnicodeCategory.Format);
            return !foreign && digits.Length is Sha1Digits or Sha256Digits
                ? digits
                : throw CertificateParts.Refuse(
                    "What was given as a certificate's thumbprint is not one.",
                    "A thumbprint has 40 hexadecimal digits (SHA-1) or 64 (SHA-256); copy it from the certificate's details or the app registration.");
        }

        private static bool Matches(X509Certificate2 certificate, string wanted)
        {
            if (wanted.Length == Sha1Digits)
            {
                return string.Equals(certificate.Thumbprint, wanted, StringComparison.OrdinalIgnoreCase);
            }

            using SHA256 hash = SHA256.Create();
            return BitConverter.ToString(hash.ComputeHash(certificate.RawData)).Replace("-", string.Empty) == wanted;
        }
    }
}
