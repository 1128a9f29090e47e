using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Lists the customers that the partner administers, from every source that may be read.</summary>
    [Cmdlet(VerbsCommon.Get, "DelegatedTenant")]
    [OutputType(typeof(DelegatedTenant))]
    public sealed class GetDelegatedTenantCommand : OperationCmdlet
    {
        [Parameter(Position = 0)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>Names of customers; wildcards are allowed.</summary>
        [Parameter]
        [SupportsWildcards]
        public string[]? Name { get; set; }

        [Parameter]
        [SupportsWildcards]
        public string[]? Domain { get; set; }

        /// <summary>The lists that a customer must be on, one of them.</summary>
        [Parameter]
        [ValidateSet("PartnerCenter", "Contracts", "DelegatedAdminCustomers")]
        public string[]? Source { get; set; }

        /// <summary>Also tries to get a token for each, and says why where that fails.</summary>
        [Parameter]
        public SwitchParameter CheckAccess { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        [Parameter]
        [ValidateRange(1, 64)]
        public int? ThrottleLimit { get; set; }

        protected override void ProcessRecord()
        {
            CheckNotEmpty(nameof(Name), nameof(Domain), nameof(Source));
            using RequestBuilder request = new RequestBuilder("delegated_tenants")
                .Credential("credential", ResolveCredential(Credential))
                .Text("environment", ResolveEnvironment(Environment))
                .Flag("checkAccess", CheckAccess)
                .Texts("names", Name)
                .Texts("domains", Domain)
                .Texts("sources", Source)
                .Int("throttle", ThrottleLimit);
            Start(request);
            Complete();
        }

        internal override void OnRecord(ValueMap record)
        {
            DelegatedTenant customer = new DelegatedTenant(record);
            State.Customers[customer.TenantId] = customer;
            WriteObject(customer);
        }
    }
}
