using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Removes an application's registration.</summary>
    [Cmdlet(VerbsCommon.Remove, "SecureApp", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(SecureAppApplication))]
    public sealed class RemoveSecureAppCommand : ApplicationCmdlet
    {
        [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
        [Alias("ClientId", "AppId")]
        public string? ApplicationId { get; set; }

        /// <summary>Writes what was removed.</summary>
        [Parameter]
        public SwitchParameter PassThru { get; set; }

        internal override string[] Scopes => new[] { "Application.ReadWrite.All" };

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(ApplicationId));
            CheckCaller();
            Guarded(() => CheckItem(ApplicationId), ApplicationId);
        }

        protected override void ProcessRecord() => Each(Serve, ApplicationId);

        internal override void OnAnswer(ValueMap record)
        {
            if (PassThru)
            {
                WriteObject(new SecureAppApplication(record));
            }
        }

        private void Serve()
        {
            CheckItem(ApplicationId);
            string named = ApplicationId ?? throw ErrorRecords.Refusal("No application was named.", "Use -ApplicationId, or pipe what Get-SecureApp lists.");
            using RequestBuilder request = Request("application_remove").Text("applicationId", ApplicationInput.Id(named));
            Restart(request);
            Follow();
        }
    }
}
