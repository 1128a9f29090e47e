using System;
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
        [Parameter(Position = 0)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>The tenant to try it in; its own where none is given.</summary>
        [Parameter(Position = 1)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation(One = true)]
        public string? TenantId { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(ResourceCompleter))]
        public string[] Resource { get; set; } = Array.Empty<string>();

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        protected override void ProcessRecord()
        {
            // A tenant that was given, even as an empty variable, never silently becomes the credential's own.
            if (MyInvocation.BoundParameters.ContainsKey(nameof(TenantId)) && TenantInput.Refusal(TenantId) is SecureAppException refusal)
            {
                Fail(refusal, TenantId);
            }

            using RequestBuilder request = new RequestBuilder("credential_test")
                .Credential("credential", ResolveCredential(Credential))
                .Text("environment", ResolveEnvironment(Environment))
                .Text("tenant", TenantId?.Trim())
                .Texts("resources", Resource.Where(resource => !string.IsNullOrWhiteSpace(resource)).Select(resource => resource.Trim()));
            Start(request);
            Complete();
        }

        internal override void OnRecord(ValueMap record) => WriteObject(new SecureAppCredentialCheck(record));
    }
}
