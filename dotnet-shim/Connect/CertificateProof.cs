using System.Security;
using System.Security.Cryptography.X509Certificates;

namespace SecureAppModel.Connect
{
    /// <summary>A certificate that a service's own cmdlet opens and signs in with, and the application that it proves. No token is asked for.</summary>
    internal sealed class CertificateProof
    {
        internal string ApplicationId { get; set; } = string.Empty;

        internal string? Thumbprint { get; set; }

        internal string? FilePath { get; set; }

        internal SecureString? Password { get; set; }

        internal X509Certificate2? Certificate { get; set; }

        /// <summary>The form that was given, for a person.</summary>
        internal string Form => Thumbprint is not null ? "by its thumbprint" : FilePath is not null ? "from a file" : "as an object";

        /// <summary>The parameter by which a cmdlet takes this form; null where it does not.</summary>
        internal string? ParameterOf(CertificateNames names) =>
            Thumbprint is not null ? names.Thumbprint : FilePath is not null ? names.File : names.Certificate;
    }

    /// <summary>What a Connect cmdlet calls the parts of a certificate; null for a form that it does not take.</summary>
    internal sealed class CertificateNames
    {
        internal CertificateNames(string application, string tenant, string thumbprint)
        {
            Application = application;
            Tenant = tenant;
            Thumbprint = thumbprint;
        }

        internal string Application { get; }

        internal string Tenant { get; }

        internal string Thumbprint { get; }

        internal string? Certificate { get; set; }

        internal string? File { get; set; }

        internal string? Password { get; set; }

        /// <summary>A switch that must be set beside them.</summary>
        internal string? Switch { get; set; }
    }
}
