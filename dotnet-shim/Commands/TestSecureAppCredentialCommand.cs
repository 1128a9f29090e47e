using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Tries a credential step by step and says of each how it went and what to do.</summary>
    [Cmdlet(VerbsDiagnostic.Test, "SecureAppCredential")]
    [OutputType(typeof(SecureAppCredentialCheck))]
    public sealed class TestSecureAppCredentialCommand : OperationCmdlet
    {
        private readonly List<string> _tenants = new List<string>();
        private SecureAppCredential? _credential;

        [Parameter(Position = 0)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>The tenants to try it in, each with its consent; the credential's own where none is given.</summary>
        [Parameter(Position = 1, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string[]? TenantId { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(ResourceCompleter))]
        public string[] Resource { get; set; } = Array.Empty<string>();

        /// <summary>The name that Connect-ExchangeOnline is to get as its -Organization.</summary>
        [Parameter]
        public string? Organization { get; set; }

        /// <summary>Tries what the application may by itself, although the credential has a refresh token.</summary>
        [Parameter]
        public SwitchParameter AppOnly { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        protected override void BeginProcessing()
        {
            // A tenant that was given, even as an empty variable, never silently becomes the credential's own.
            if (!MyInvocation.ExpectingInput && MyInvocation.BoundParameters.ContainsKey(nameof(TenantId)))
            {
                if (TenantInput.Missing(TenantId) is SecureAppException missing)
                {
                    Fail(missing, null);
                }

                foreach (string tenant in TenantId!)
                {
                    if (TenantInput.Refusal(tenant) is SecureAppException refusal)
                    {
                        Fail(refusal, tenant);
                    }
                }
            }

            if (MyInvocation.BoundParameters.ContainsKey(nameof(Organization)) && TenantInput.Refusal(Organization) is SecureAppException refused)
            {
                Fail(refused, Organization);
            }

            _credential = ResolveCredential(Credential);
        }

        protected override void ProcessRecord()
        {
            foreach (string tenant in TenantId ?? Array.Empty<string>())
            {
                if (TenantRefusal(tenant, AppOnly) is SecureAppException refusal)
                {
                    WriteError(ErrorRecords.From(refusal, tenant));
                }
                else
                {
                    _tenants.Add(tenant.Trim());
                }
            }
        }

        /// <summary>The application is tried once, so all tenants have to be known.</summary>
        protected override void EndProcessing()
        {
            if (MyInvocation.ExpectingInput && _tenants.Count == 0)
            {
                return;
            }

            using RequestBuilder request = new RequestBuilder("credential_test")
                .Credential("credential", _credential!)
                .Text("environment", ResolveEnvironment(Environment))
                .Texts("tenants", _tenants)
                .Texts("resources", Resource.Where(resource => !string.IsNullOrWhiteSpace(resource)).Select(resource => resource.Trim()))
                .Text("organization", Organization?.Trim())
                .Flag("appOnly", AppOnly);
            Start(request);
            Complete();
        }

        internal override void OnRecord(ValueMap record) => WriteObject(new SecureAppCredentialCheck(record));
    }
}
