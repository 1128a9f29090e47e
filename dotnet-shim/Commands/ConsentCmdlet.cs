using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Base of the commands on customers' consent to the application.</summary>
    public abstract class ConsentCmdlet : TenantCmdlet
    {
        private SecureAppCredential? _credential;

        [Parameter(Position = 1)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>No parameter here: consent is a user's to give and to see.</summary>
        public override SwitchParameter AppOnly { get; set; }

        /// <summary>What the native side is asked to do.</summary>
        internal abstract string Action { get; }

        protected override void BeginProcessing()
        {
            CheckTenants();
            _credential = ResolveCredential(Credential);
        }

        /// <summary>Adds what is asked for.</summary>
        internal virtual void Ask(RequestBuilder request)
        {
        }

        /// <summary>False where the user does not want this tenant to be changed.</summary>
        internal virtual bool Confirmed(string tenant) => true;

        internal override void OnTenant(string tenant, string? displayName)
        {
            if (!Confirmed(Title(tenant, displayName)))
            {
                return;
            }

            if (!IsStarted)
            {
                using RequestBuilder request = Request("consents", _credential!).Text("action", Action);
                Ask(request);
                Start(request);
            }

            using RequestBuilder item = Item(tenant, displayName);
            Submit(item);
        }

        internal override void OnRecord(ValueMap record)
        {
            SecureAppConsent consent = new SecureAppConsent(record);
            if (consent.Outcome == "Failed" && consent.Error is SecureAppException failure)
            {
                Refuse(failure, Asked(record) ?? consent.TenantId);
            }

            WriteObject(consent);
        }
    }
}
