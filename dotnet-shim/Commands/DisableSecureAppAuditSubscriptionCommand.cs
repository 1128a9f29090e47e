using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Stops tenants' subscriptions of the Management Activity feed; what is published from then on is lost.</summary>
    [Cmdlet(VerbsLifecycle.Disable, "SecureAppAuditSubscription", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(SecureAppAuditSubscription))]
    public sealed class DisableSecureAppAuditSubscriptionCommand : AuditSubscriptionCmdlet
    {
        internal override string Action => "disable";

        internal override bool Confirmed(string tenant) =>
            ShouldProcess(tenant, "Stop audit subscriptions to " + (ContentType is { Length: > 0 } types ? string.Join(", ", types) : "all content types") + ", and lose what is published from now on");
    }
}
