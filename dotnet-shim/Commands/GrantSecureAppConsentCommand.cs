using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Consents to the application on customers' behalf, through Partner Center, and sees that tokens show it.</summary>
    [Cmdlet(VerbsSecurity.Grant, "SecureAppConsent", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppConsent))]
    public sealed class GrantSecureAppConsentCommand : ConsentScopeCmdlet
    {
        /// <summary>Does not wait until a token shows what was granted.</summary>
        [Parameter]
        public SwitchParameter SkipVerification { get; set; }

        internal override string Action => "grant";

        internal override bool Confirmed(string tenant) => ShouldProcess(
            tenant,
            "Grant consent to " + Wanted + " (where there is consent that lacks some of these, remove all consent to the application and grant it again)");

        internal override void Ask(RequestBuilder request)
        {
            base.Ask(request);
            request.Flag("unverified", SkipVerification);
        }
    }
}
