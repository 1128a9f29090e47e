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

        protected override void ProcessRecord()
        {
            CheckNotEmpty(nameof(ApplicationId));
            CheckCaller();
            if (ApplicationId is null)
            {
                FailInput("No application was named.", "Use -ApplicationId, or pipe what Get-SecureApp lists.", null);
            }

            Each(
                () =>
                {
                    if (ApplicationInput.Refusal(ApplicationId!) is SecureAppException refusal)
                    {
                        throw refusal;
                    }

                    using RequestBuilder request = Request("application_remove").Text("applicationId", ApplicationId!.Trim());
                    Restart(request);
                    Follow();
                },
                ApplicationId);
        }

        internal override void OnAnswer(ValueMap record)
        {
            if (PassThru)
            {
                WriteObject(new SecureAppApplication(record));
            }
        }

        /// <summary>One that cannot be removed leaves the others of a pipeline.</summary>
        internal override void OnEnded(SecureAppException failure)
        {
            if (MyInvocation.ExpectingInput)
            {
                FailItem(failure, ApplicationId);
                return;
            }

            Fail(failure, ApplicationId);
        }
    }
}
