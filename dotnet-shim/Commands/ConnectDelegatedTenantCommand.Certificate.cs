using System;
using System.IO;
using System.Management.Automation;
using System.Security;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.Connect;

namespace SecureAppModel.Commands
{
    /// <summary>Certificates that the services' own cmdlets sign in with.</summary>
    public sealed partial class ConnectDelegatedTenantCommand
    {
        private const string ThumbprintSet = "CertificateThumbPrint";
        private const string FileSet = "CertificateFile";
        private const string CertificateSet = "Certificate";

        /// <summary>Of a certificate in the user's store, which is there on Windows alone.</summary>
        [Parameter(Mandatory = true, ParameterSetName = ThumbprintSet)]
        public string? CertificateThumbPrint { get; set; }

        [Parameter(Mandatory = true, ParameterSetName = FileSet)]
        public string? CertificateFilePath { get; set; }

        [Parameter(ParameterSetName = FileSet)]
        [SecretTransformation(Trim = false)]
        public SecureString? CertificatePassword { get; set; }

        [Parameter(Mandatory = true, ParameterSetName = CertificateSet)]
        public X509Certificate2? Certificate { get; set; }

        /// <summary>The application that the certificate proves.</summary>
        [Parameter(Mandatory = true, ParameterSetName = ThumbprintSet)]
        [Parameter(Mandatory = true, ParameterSetName = FileSet)]
        [Parameter(Mandatory = true, ParameterSetName = CertificateSet)]
        public string? AppID { get; set; }

        /// <summary>The tenant's onmicrosoft.com domain.</summary>
        [Parameter(ParameterSetName = ThumbprintSet)]
        [Parameter(ParameterSetName = FileSet)]
        [Parameter(ParameterSetName = CertificateSet)]
        public string? Organization { get; set; }

        private CertificateProof Proof()
        {
            CheckNotEmpty(nameof(CertificateThumbPrint), nameof(CertificateFilePath), nameof(AppID), nameof(Organization));
            if (!Guid.TryParse(AppID, out Guid application))
            {
                FailInput("-AppID is not an application's id.", "Give the GUID that the application's overview calls Application (client) ID.", null);
            }

            if (Organization is not null && (TenantId?.Length > 1 || MyInvocation.ExpectingInput))
            {
                FailInput("-Organization names one tenant, and there are several.", "Leave it out: each tenant's onmicrosoft.com domain comes with it (-TenantId, -DefaultDomainName).", null);
            }

            string? file = CertificateFilePath is null ? null : GetUnresolvedProviderPathFromPSPath(CertificateFilePath);
            if (file is not null && !File.Exists(file))
            {
                Fail(new SecureAppException(SecureAppErrorKind.NotFound, "There is no certificate file " + file + ".", "Check -CertificateFilePath."), CertificateFilePath);
            }

            return new CertificateProof
            {
                ApplicationId = application.ToString("D"),
                Thumbprint = CertificateThumbPrint?.Replace(" ", string.Empty),
                FilePath = file,
                Password = CertificatePassword,
                Certificate = Certificate,
            };
        }
    }
}
