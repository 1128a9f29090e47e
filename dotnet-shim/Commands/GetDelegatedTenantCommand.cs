using System;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Lists the customers that a partner administers, or several partners, from every source that may be read.</summary>
    [Cmdlet(VerbsCommon.Get, "DelegatedTenant")]
    [OutputType(typeof(DelegatedTenant))]
    public sealed class GetDelegatedTenantCommand : OperationCmdlet
    {
        private SecureAppCredential? _credential;

        /// <summary>Who asks; each of several is another partner's.</summary>
        [Parameter(Position = 0, ValueFromPipeline = true)]
        [Alias("AppCredential")]
        public object[]? Credential { get; set; }

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

        /// <summary>Only these tenants, also where no list has them.</summary>
        [Parameter]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string[]? TenantId { get; set; }

        /// <summary>Also gives the delegated admin relationships with each.</summary>
        [Parameter]
        public SwitchParameter IncludeRelationship { get; set; }

        /// <summary>The same, with the groups that hold their roles.</summary>
        [Parameter]
        public SwitchParameter IncludeAccessAssignment { get; set; }

        /// <summary>Only customers that have given one of these roles, by the template's id or by name.</summary>
        [Parameter]
        [Alias("Role")]
        [ArgumentCompleter(typeof(DirectoryRoleCompleter))]
        public string[]? RoleId { get; set; }

        /// <summary>Only customers that stop giving a role within so many days.</summary>
        [Parameter]
        [ValidateRange(1, 730)]
        public int? ExpiringWithinDays { get; set; }

        /// <summary>How old the list of customers may be that this process has read before; it is read anew where this is not given.</summary>
        [Parameter]
        [DurationTransformation]
        public TimeSpan? MaximumAge { get; set; }

        /// <summary>Also tries to get a token for each, and says why where that fails.</summary>
        [Parameter]
        public SwitchParameter CheckAccess { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        [Parameter]
        [ValidateRange(1, 64)]
        public int? ThrottleLimit { get; set; }

        /// <summary>One partner that fails does not keep the customers of the others back.</summary>
        private bool IsForSeveral => MyInvocation.ExpectingInput || Credential is { Length: > 1 };

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(Name), nameof(Domain), nameof(Source), nameof(TenantId), nameof(RoleId));
            foreach (string tenant in TenantId ?? Array.Empty<string>())
            {
                Check(TenantInput.Refusal(tenant), tenant);
            }

            // An empty list of credentials never silently becomes an empty list of customers.
            if (Credential is { Length: 0 })
            {
                ResolveCredential(null);
            }

            if (MaximumAge < TimeSpan.Zero)
            {
                FailInput("-MaximumAge is negative.", "Use a time span of zero or more.", MaximumAge);
            }

            if (TenantId is not null && IsForSeveral)
            {
                FailInput(
                    "-TenantId goes with one credential: a tenant that is on no list would be a customer of each.",
                    "Give one partner's credential, or leave -TenantId out and choose with Where-Object TenantId.",
                    null);
            }
        }

        protected override void ProcessRecord()
        {
            foreach (object? given in Credential ?? new object?[] { null })
            {
                if (IsForSeveral)
                {
                    ListOneOfSeveral(given);
                }
                else
                {
                    _credential = ResolveCredential(given);
                    using RequestBuilder request = Request(_credential);
                    Run(request);
                }
            }
        }

        internal override void OnRecord(ValueMap record)
        {
            DelegatedTenant customer = new DelegatedTenant(record);
            _credential!.RememberPartner(customer.PartnerTenantId);
            State.Customers[customer.TenantId] = customer;
            WriteObject(customer);
        }

        internal override void OnEnded(SecureAppException failure)
        {
            if (!IsForSeveral)
            {
                Fail(failure, null);
            }

            FailItem(failure, _credential!.TenantId ?? _credential.ApplicationId);
        }

        private void ListOneOfSeveral(object? given)
        {
            _credential = null;
            try
            {
                _credential = Opened(given ?? throw CredentialInput.Empty(nameof(Credential)));
                using RequestBuilder request = Request(_credential);
                Forget();
                Begin(request);
            }
            catch (SecureAppException failure)
            {
                FailItem(failure, _credential?.TenantId);
                return;
            }

            Complete();
        }

        private RequestBuilder Request(SecureAppCredential credential) => new RequestBuilder("delegated_tenants")
            .Credential("credential", credential)
            .Text("environment", ResolveEnvironment(Environment))
            .Flag("checkAccess", CheckAccess)
            .Texts("names", Name)
            .Texts("domains", Domain)
            .Texts("sources", Source)
            .Texts("tenants", TenantId?.Select(tenant => tenant.Trim()))
            .Flag("relationships", IncludeRelationship)
            .Flag("assignments", IncludeAccessAssignment)
            .Texts("roles", RoleId)
            .Int("expiringDays", ExpiringWithinDays)
            .Int("maximumAgeSeconds", MaximumAge is TimeSpan age ? (long)age.TotalSeconds : null)
            .Int("throttle", ThrottleLimit);
    }
}
