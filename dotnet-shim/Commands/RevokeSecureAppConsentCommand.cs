using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Takes customers' consent to the application away, through Partner Center.</summary>
    [Cmdlet(VerbsSecurity.Revoke, "SecureAppConsent", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(SecureAppConsent))]
    public sealed class RevokeSecureAppConsentCommand : ConsentCmdlet
    {
        internal override string Action => "revoke";

        internal override bool Confirmed(string tenant) => ShouldProcess(tenant, "Revoke all consent to the application");
    }
}
