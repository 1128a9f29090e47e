using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Base of the commands that say what an application's registration is to be.</summary>
    public abstract class RegistrationCmdlet : ApplicationCmdlet
    {
        internal const string ProfileSet = "Profile";
        internal const string PermissionSet = "Permission";

        private string[] _permissions = System.Array.Empty<string>();

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

        /// <summary>Lets the application update its own secrets.</summary>
        [Parameter]
        public SwitchParameter AllowSelfUpdate { get; set; }

        /// <summary>Puts the application into the partner's group AdminAgents.</summary>
        [Parameter]
        public SwitchParameter ConfigurePreconsent { get; set; }

        /// <summary>Consents for the own organization.</summary>
        [Parameter]
        public SwitchParameter GrantAdminConsent { get; set; }

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

        /// <summary>Refuses what cannot be, before anything is sent.</summary>
        internal void CheckWanted()
        {
            CheckNotEmpty(nameof(Profile), nameof(RequiredResourceAccess), nameof(Role), nameof(RedirectUri));
            CheckCaller();
            _permissions = Guarded(() => RequiredAccessInput.Lines(RequiredResourceAccess), null);
        }

        /// <summary>A request with all of that; the caller disposes of it.</summary>
        internal RequestBuilder WantedRequest() => Request("application_register")
            .Texts("profiles", Profile)
            .Flag("includeRetired", IncludeRetired)
            .Texts("permissions", _permissions)
            .Texts("roles", Role)
            .Texts("redirectUris", RedirectUri?.Select(uri => uri.Trim()))
            .Flag("selfUpdate", AllowSelfUpdate)
            .Flag("configurePreconsent", ConfigurePreconsent)
            .Flag("grantAdminConsent", GrantAdminConsent);
    }
}
