using System;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Base of the commands on the subscriptions of the Management Activity feed.</summary>
    public abstract class AuditSubscriptionCmdlet : TenantCmdlet
    {
        private SecureAppCredential? _credential;

        [Parameter(Position = 1)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>The content types; where none is given, those that the command says.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        [ValidateSet("Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All")]
        public string[]? ContentType { get; set; }

        /// <summary>What the native side is asked to do.</summary>
        internal abstract string Action { get; }

        protected override void BeginProcessing()
        {
            CheckTenants();
            _credential = ResolveCredential(Credential);
        }

        internal override void OnRecord(ValueMap record) => WriteObject(new SecureAppAuditSubscription(record));

        /// <summary>False where the user does not want this tenant's subscriptions to be changed.</summary>
        internal virtual bool Confirmed(string tenant) => true;

        internal override void OnTenant(string tenant, string? displayName)
        {
            if (!Confirmed(Title(tenant, displayName)))
            {
                return;
            }

            if (!IsStarted)
            {
                using RequestBuilder request = Request("audit_subscriptions", _credential!).Text("action", Action);
                Start(request);
            }

            using RequestBuilder item = Item(tenant, displayName)
                .Texts("contentTypes", ContentType?.Distinct(StringComparer.OrdinalIgnoreCase));
            Submit(item);
        }
    }
}
