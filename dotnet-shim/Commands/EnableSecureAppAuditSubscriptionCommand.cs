using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Starts tenants' subscriptions of the Management Activity feed: those that are not there yet.</summary>
    [Cmdlet(VerbsLifecycle.Enable, "SecureAppAuditSubscription", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppAuditSubscription))]
    public sealed class EnableSecureAppAuditSubscriptionCommand : AuditSubscriptionCmdlet
    {
        internal override string Action => "enable";

        internal override bool Confirmed(string tenant) =>
            ShouldProcess(tenant, "Start audit subscriptions to " + (ContentType is { Length: > 0 } types ? string.Join(", ", types) : "all Audit content types"));
    }
}
