using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Lists which content types of the Management Activity feed each tenant is subscribed to.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppAuditSubscription")]
    [OutputType(typeof(SecureAppAuditSubscription))]
    public sealed class GetSecureAppAuditSubscriptionCommand : AuditSubscriptionCmdlet
    {
        internal override string Action => "list";
    }
}
