using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Base of the commands on the subscriptions of the Management Activity feed.</summary>
    public abstract class AuditSubscriptionCmdlet : OperationCmdlet
    {
        private readonly Dictionary<long, string> _tenants = new Dictionary<long, string>();
        private SecureAppCredential? _credential;
        private long _items;

        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        public string[]? TenantId { get; set; }

        /// <summary>The customer's name as it shall appear in the results; Get-DelegatedTenant gives it.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string? DisplayName { get; set; }

        [Parameter(Position = 1)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>The content types; where none is given, those that the command says.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        [ValidateSet("Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All")]
        public string[]? ContentType { get; set; }

        [Parameter]
        [ValidateRange(1, 64)]
        public int? ThrottleLimit { get; set; }

        [Parameter]
        public SwitchParameter AppOnly { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        /// <summary>What the native side is asked to do.</summary>
        internal abstract string Action { get; }

        protected override void BeginProcessing()
        {
            if (!MyInvocation.ExpectingInput)
            {
                Check(TenantInput.Missing(TenantId), null);
            }

            foreach (string tenant in TenantId ?? Array.Empty<string>())
            {
                Check(TenantInput.Refusal(tenant), tenant);
            }

            _credential = ResolveCredential(Credential);
        }

        protected override void ProcessRecord()
        {
            if (TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                FailItem(missing, null);
                return;
            }

            foreach (string tenant in TenantId!)
            {
                SubmitTenant(tenant);
            }

            if (IsStarted)
            {
                DrainReady();
            }
        }

        protected override void EndProcessing() => Complete();

        internal override void OnRecord(ValueMap record) => WriteObject(new SecureAppAuditSubscription(record));

        internal override void OnFailed(ValueMap target, SecureAppException failure) =>
            WriteError(ErrorRecords.From(failure, _tenants.TryGetValue(target.Int("item"), out string? tenant) ? tenant : target.OptionalText("tenant")));

        /// <summary>False where the user does not want this tenant's subscriptions to be changed.</summary>
        internal virtual bool Confirmed(string tenant) => true;

        private void SubmitTenant(string tenant)
        {
            if (TenantInput.Refusal(tenant) is SecureAppException refusal)
            {
                FailItem(refusal, tenant);
                return;
            }

            string? name = TenantId!.Length == 1 && !string.IsNullOrWhiteSpace(DisplayName) ? DisplayName : null;
            if (!Confirmed(name is null ? tenant : name + " (" + tenant + ")"))
            {
                return;
            }

            if (!IsStarted)
            {
                using RequestBuilder request = new RequestBuilder("audit_subscriptions")
                    .Text("action", Action)
                    .Credential("credential", _credential!)
                    .Text("environment", ResolveEnvironment(Environment))
                    .Int("throttle", ThrottleLimit)
                    .Flag("appOnly", AppOnly);
                Start(request);
            }

            _tenants[++_items] = tenant;
            using RequestBuilder item = new RequestBuilder("tenant")
                .Int("item", _items)
                .Text("tenant", tenant.Trim())
                .Text("displayName", name)
                .Texts("contentTypes", ContentType?.Distinct(StringComparer.OrdinalIgnoreCase));
            Submit(item);
        }
    }
}
