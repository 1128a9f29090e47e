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
    }
}
