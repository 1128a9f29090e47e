using System;
using System.IO;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Makes another cloud known to this process: a sovereign one, a test one, or the sandbox.</summary>
    [Cmdlet(VerbsCommon.Add, "SecureAppEnvironment", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppEnvironment))]
    public sealed class AddSecureAppEnvironmentCommand : SecureAppCmdlet
    {
        [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
        public string? Name { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        public Uri? LoginEndpoint { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        public Uri? GraphEndpoint { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        public Uri? PartnerCenterEndpoint { get; set; }

        /// <summary>The Office 365 Management Activity feed.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public Uri? ManagementEndpoint { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        public Uri? OutlookEndpoint { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        public Uri? AadGraphEndpoint { get; set; }

        /// <summary>The domain of the key vaults, for example https://vault.azure.net.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public Uri? KeyVaultEndpoint { get; set; }

        /// <summary>A PEM file with roots that are trusted for this environment's hosts only, beside the system's.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string? CertificatePath { get; set; }

        [Parameter]
        public SwitchParameter SingleUseRefreshTokens { get; set; }

        /// <summary>Replaces an environment of the same name.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        protected override void ProcessRecord() => Each(AddOne, Name);

        private void AddOne()
        {
            if (string.IsNullOrWhiteSpace(Name))
            {
                throw ErrorRecords.Refusal("The environment has no name.", "Use -Name.");
            }

            if (LoginEndpoint is null)
            {
                throw ErrorRecords.Refusal("The environment has no identity service.", "Use -LoginEndpoint, for example https://login.example.org.");
            }

            string? roots = CertificatePath is null ? null : ReadRoots(GetUnresolvedProviderPathFromPSPath(CertificatePath));
            if (ShouldProcess(Name, "Add environment"))
            {
                WriteObject(Add(Name!, roots));
            }
        }

        private SecureAppEnvironment Add(string name, string? roots)
        {
            using RequestBuilder request = new RequestBuilder("environment.add")
                .Text("name", name)
                .Text("loginHost", LoginEndpoint?.OriginalString)
                .Text("graphHost", GraphEndpoint?.OriginalString)
                .Text("partnerCenterHost", PartnerCenterEndpoint?.OriginalString)
                .Text("manageHost", ManagementEndpoint?.OriginalString)
                .Text("outlookHost", OutlookEndpoint?.OriginalString)
                .Text("aadGraphHost", AadGraphEndpoint?.OriginalString)
                .Text("keyVaultHost", KeyVaultEndpoint?.OriginalString)
                .Text("caPem", roots)
                .Flag("singleUseRefreshTokens", SingleUseRefreshTokens)
                .Flag("force", Force);
            return EnvironmentStore.Add(name, request);
        }

        private static string ReadRoots(string path)
        {
            try
            {
                return File.ReadAllText(path);
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.Storage,
                    "The certificate file " + Shown.Path(path) + " could not be read" + Shown.Reason(path, cause),
                    "Check the path; it must name a PEM file with the root certificates to trust.",
                    Shown.IsPath(path) ? cause : null);
            }
        }
    }
}
