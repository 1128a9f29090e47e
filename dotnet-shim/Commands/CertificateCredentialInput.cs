using System;
using System.Linq;
using System.Management.Automation;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>A certificate with its key for an application that may not be there yet.</summary>
    internal static class CertificateCredentialInput
    {
        private const string Advice =
            "Give what New-SecureAppCertificate makes, an X509Certificate2 with its key, the path of a PFX or PEM file, a thumbprint, or a credential that has a certificate.";

        /// <param name="given">What the user passed.</param>
        /// <param name="path">Makes a path full, as the session sees it.</param>
        /// <exception cref="SecureAppException">It has no certificate, or none that can be used.</exception>
        internal static SecureAppCredential Resolve(object given, Func<string, string> path)
        {
            object value = given is PSObject wrapped ? wrapped.BaseObject : given;
            switch (value)
            {
                case SecureAppCredential credential:
                    return credential.HasCertificate ? credential : throw ErrorRecords.Refusal("The credential has no certificate.", Advice);
                case SecureAppCertificate made:
                    return Open(new CertificateParts { Certificate = made.Certificate });
                case X509Certificate2 certificate:
                    return Open(new CertificateParts { Certificate = certificate });
                case string text when IsThumbprint(text.Trim()):
                    return Open(new CertificateParts { Thumbprint = text.Trim() });
                case string text:
                    return Open(new CertificateParts { Path = CertificateFields.FullPath(text, path) });
                default:
                    throw ErrorRecords.Refusal("-CertificateCredential is a " + value.GetType().Name + ".", Advice);
            }
        }

        private static bool IsThumbprint(string text) => text.Length == 40 && text.All(Uri.IsHexDigit);

        /// <summary>The library knows certificates by credentials only, so this is one of no application yet.</summary>
        private static SecureAppCredential Open(CertificateParts parts) =>
            parts.Open(() => new RequestBuilder("credential").Text("applicationId", Guid.Empty.ToString("D")));
    }
}
