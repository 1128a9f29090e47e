using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Registers an application, or changes one that is there into what is asked for.</summary>
    [Cmdlet(VerbsCommon.New, "SecureApp", SupportsShouldProcess = true, DefaultParameterSetName = ProfileSet)]
    [OutputType(typeof(SecureAppRegistration))]
    public sealed class NewSecureAppCommand : ApplicationCmdlet
    {
        private const string ProfileSet = "Profile";
        private const string PermissionSet = "Permission";

        private SecureAppCredential? _certificate;
        private string? _csv;

        [Parameter(Position = 0)]
        [Alias("Name")]
        public string? DisplayName { get; set; }

        /// <summary>An application that is there, where its name alone does not tell it.</summary>
        [Parameter]
        [Alias("ClientId", "AppId")]
        public string? ApplicationId { get; set; }

        /// <summary>Permissions that go together.</summary>
        [Parameter(Position = 1, ParameterSetName = ProfileSet)]
        [ValidateSet("Partner", "ExchangeAutomation", "Audit", "SecurityReader")]
        public string[]? Profile { get; set; }

        /// <summary>With Partner also what guides of 2019 asked for on the retired Azure AD Graph.</summary>
        [Parameter(ParameterSetName = ProfileSet)]
        public SwitchParameter IncludeRetired { get; set; }

        /// <summary>Permissions as an application's manifest has them.</summary>
        [Parameter(ParameterSetName = PermissionSet)]
        public object[]? RequiredResourceAccess { get; set; }

        /// <summary>For this organization alone.</summary>
        [Parameter]
        public SwitchParameter SingleTenant { get; set; }

        /// <summary>Directory roles of the application, by their names.</summary>
        [Parameter]
        [ArgumentCompleter(typeof(DirectoryRoleCompleter))]
        public string[]? Role { get; set; }

        [Parameter]
        [Alias("ReplyUrl")]
        public string[]? RedirectUri { get; set; }

        /// <summary>Puts the application into the partner's group AdminAgents.</summary>
        [Parameter]
        public SwitchParameter ConfigurePreconsent { get; set; }

        /// <summary>Consents for the own organization.</summary>
        [Parameter]
        public SwitchParameter GrantAdminConsent { get; set; }

        /// <summary>A certificate in place of a secret: one with its key, or a credential that has one.</summary>
        [Parameter]
        [Alias("Certificate")]
        public object? CertificateCredential { get; set; }

        /// <summary>How long the secret lives.</summary>
        [Parameter]
        [ValidateRange(1, 730)]
        public int? SecretDays { get; set; }

        /// <summary>A CSV file with the secret in plain text.</summary>
        [Parameter]
        public string? CsvPath { get; set; }

        internal override string[] Scopes
        {
            get
            {
                List<string> scopes = new List<string> { "Application.ReadWrite.All" };
                if (GrantAdminConsent)
                {
                    scopes.AddRange(new[] { "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All" });
                }

                if (Role is not null)
                {
                    scopes.Add("RoleManagement.ReadWrite.Directory");
                }

                if (ConfigurePreconsent)
                {
                    scopes.Add("GroupMember.ReadWrite.All");
                }

                return scopes.ToArray();
            }
        }

        protected override void ProcessRecord()
        {
            CheckNotEmpty(nameof(DisplayName), nameof(ApplicationId), nameof(Profile), nameof(RequiredResourceAccess), nameof(Role), nameof(RedirectUri), nameof(CertificateCredential), nameof(CsvPath));
            CheckCaller();
            if (string.IsNullOrWhiteSpace(DisplayName))
            {
                FailInput("No name was given for the application.", "Use -DisplayName.", null);
            }

            if (ApplicationId is not null)
            {
                Check(ApplicationInput.Refusal(ApplicationId), ApplicationId);
            }

            string[] permissions = Guarded(() => RequiredAccessInput.Lines(RequiredResourceAccess), null);
            _certificate = CertificateCredential is null ? null : Guarded(() => CertificateCredentialInput.Resolve(CertificateCredential, GetUnresolvedProviderPathFromPSPath), null);
            _csv = CsvPath is null ? null : Guarded(() => OutputPath.Resolve(SessionState, CsvPath, "Give -CsvPath the path of a file."), new FilePath(CsvPath));
            using RequestBuilder request = Request("application_register")
                .Text("displayName", DisplayName)
                .Text("applicationId", ApplicationId?.Trim())
                .Texts("profiles", Profile)
                .Flag("includeRetired", IncludeRetired)
                .Texts("permissions", permissions)
                .Flag("singleTenant", SingleTenant)
                .Texts("roles", Role)
                .Texts("redirectUris", RedirectUri?.Select(uri => uri.Trim()))
                .Flag("configurePreconsent", ConfigurePreconsent)
                .Flag("grantAdminConsent", GrantAdminConsent)
                .Int("secretDays", SecretDays)
                .Text("csvPath", _csv);
            if (_certificate is not null)
            {
                request.Credential("certificateCredential", _certificate);
            }

            Restart(request);
            Follow();
        }

        internal override void OnAnswer(ValueMap record)
        {
            SecureAppCredential? credential = record.Flag("hasCredential") ? TakeCredential(_certificate?.Needs) : null;
            bool wrote = _csv is not null && record.OptionalText("secretId") is not null;
            WriteObject(new SecureAppRegistration(record, credential, wrote ? _csv : null));
        }
    }
}
