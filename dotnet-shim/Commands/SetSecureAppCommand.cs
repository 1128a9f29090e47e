using System.Linq;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Changes an application's registration that is there; what is not spoken of stays as it is.</summary>
    [Cmdlet(VerbsCommon.Set, "SecureApp", SupportsShouldProcess = true, DefaultParameterSetName = ProfileSet)]
    [OutputType(typeof(SecureAppRegistration))]
    public sealed class SetSecureAppCommand : RegistrationCmdlet
    {
        private static readonly string[] s_changes =
        {
            nameof(NewName), nameof(Profile), nameof(RequiredResourceAccess), nameof(SingleTenant), nameof(Role), nameof(RedirectUri), nameof(AllowSelfUpdate), nameof(ConfigurePreconsent),
            nameof(GrantAdminConsent), nameof(IncludeRetired),
        };

        /// <summary>The name that it has.</summary>
        [Parameter(Position = 0)]
        [Alias("Name")]
        public string? DisplayName { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        [Alias("ClientId", "AppId")]
        public string? ApplicationId { get; set; }

        /// <summary>The name that it is to have.</summary>
        [Parameter]
        public string? NewName { get; set; }

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(DisplayName), nameof(ApplicationId), nameof(NewName));
            if (!s_changes.Any(IsGiven))
            {
                FailInput("Nothing was named that is to change.", "Use for example -NewName, -RedirectUri, -Profile, -SingleTenant or -Role.", null);
            }

            CheckGives(nameof(AllowSelfUpdate), AllowSelfUpdate, "its service principal from its owners, and the permission Application.ReadWrite.OwnedBy");
            CheckGives(nameof(ConfigurePreconsent), ConfigurePreconsent, "its service principal from the group AdminAgents");
            CheckGives(nameof(GrantAdminConsent), GrantAdminConsent, "the consent from its service principal's permissions");
            CheckWanted();
            Guarded(() => CheckItem(ApplicationId), ApplicationId);
        }

        protected override void ProcessRecord() => Each(Serve, ApplicationId ?? DisplayName);

        internal override void OnAnswer(ValueMap record) => WriteObject(new SecureAppRegistration(record, null));

        private void Serve()
        {
            CheckItem(ApplicationId);
            if (ApplicationId is null && DisplayName is null)
            {
                throw ErrorRecords.Refusal("No application was named.", "Use -DisplayName or -ApplicationId, or pipe what Get-SecureApp lists.");
            }

            using RequestBuilder request = WantedRequest()
                .Flag("mustExist", true)
                .Text("displayName", DisplayName)
                .Text("applicationId", ApplicationId is null ? null : ApplicationInput.Id(ApplicationId))
                .Text("newName", NewName)
                .Int("singleTenant", IsGiven(nameof(SingleTenant)) ? SingleTenant ? 1 : 0 : null);
            Restart(request);
            Follow();
        }

        /// <summary>Refuses a switch that is off: what was given is not taken away, and "nothing to change" would say that it was.</summary>
        private void CheckGives(string name, bool isOn, string given)
        {
            if (IsGiven(name) && !isOn)
            {
                FailInput(
                    "-" + name + ":$false takes nothing away: what is not asked for stays as it is.",
                    "Leave -" + name + " out, and remove " + given + " in the portal where it shall end.",
                    null);
            }
        }
    }
}
