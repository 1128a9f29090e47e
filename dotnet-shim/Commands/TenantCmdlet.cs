using System;
using System.Collections.Generic;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Base of the commands whose items are tenants.</summary>
    public abstract class TenantCmdlet : OperationCmdlet
    {
        private readonly Dictionary<long, string> _tenants = new Dictionary<long, string>();

        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public virtual string[]? TenantId { get; set; }

        /// <summary>The customer's name as it shall appear in the results; Get-DelegatedTenant gives it.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string? DisplayName { get; set; }

        [Parameter]
        [ValidateRange(1, 64)]
        public int? ThrottleLimit { get; set; }

        [Parameter]
        public virtual SwitchParameter AppOnly { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        /// <summary>Tenants of the input, those that were refused included.</summary>
        internal long Items { get; private set; }

        /// <summary>True where no tenant has to be named.</summary>
        internal virtual bool IsForAll => false;

        protected override void ProcessRecord()
        {
            if (TenantId is null && IsForAll)
            {
                return;
            }

            if (TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                Refuse(missing, null);
                return;
            }

            foreach (string tenant in TenantId!)
            {
                if (TenantRefusal(tenant, AppOnly) is SecureAppException refusal)
                {
                    Items++;
                    Refuse(refusal, tenant);
                    continue;
                }

                OnTenant(tenant.Trim(), TenantId.Length == 1 && !string.IsNullOrWhiteSpace(DisplayName) ? DisplayName : null);
            }

            if (IsStarted)
            {
                DrainReady();
            }
        }

        protected override void EndProcessing() => Complete();

        internal override void OnFailed(ValueMap target, SecureAppException failure) =>
            Refuse(failure, Asked(target) ?? target.OptionalText("tenant"));

        /// <summary>One tenant of the input.</summary>
        internal abstract void OnTenant(string tenant, string? displayName);

        /// <summary>Says of one tenant that nothing, or not all, can be had; the others go on.</summary>
        internal virtual void Refuse(SecureAppException failure, object? target) => FailItem(failure, target);

        /// <summary>Ends the command where no tenant can come, or one that is named cannot be a tenant.</summary>
        internal void CheckTenants()
        {
            if (!MyInvocation.ExpectingInput)
            {
                Check(TenantInput.Missing(TenantId), null);
            }

            foreach (string tenant in TenantId ?? Array.Empty<string>())
            {
                Check(TenantInput.Refusal(tenant), tenant);
            }
        }

        /// <summary>A request with who asks.</summary>
        internal RequestBuilder Request(string kind, SecureAppCredential credential) => new RequestBuilder(kind)
            .Credential("credential", credential)
            .Text("environment", ResolveEnvironment(Environment))
            .Int("throttle", ThrottleLimit)
            .Flag("appOnly", AppOnly);

        /// <summary>A tenant as the operation takes it; what it says of the item is about this tenant.</summary>
        internal RequestBuilder Item(string tenant, string? displayName)
        {
            _tenants[++Items] = tenant;
            return new RequestBuilder("tenant").Int("item", Items).Text("tenant", tenant).Text("displayName", displayName);
        }

        /// <summary>The tenant as the user named it.</summary>
        internal string? Asked(ValueMap about) => _tenants.TryGetValue(about.Int("item"), out string? tenant) ? tenant : null;

        /// <summary>How a person is asked about a tenant.</summary>
        internal static string Title(string tenant, string? displayName) => displayName is null ? tenant : displayName + " (" + tenant + ")";
    }
}
