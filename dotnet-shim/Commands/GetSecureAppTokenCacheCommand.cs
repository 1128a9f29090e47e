using System.Management.Automation;
using SecureAppModel.Completion;

namespace SecureAppModel.Commands
{
    /// <summary>Lists what the token cache of this process holds, without the tokens.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppTokenCache")]
    [OutputType(typeof(SecureAppCachedToken))]
    public sealed class GetSecureAppTokenCacheCommand : TokenCacheCmdlet
    {
        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string[]? TenantId { get; set; }

        [Parameter]
        [Alias("ClientId", "AppId")]
        public string? ApplicationId { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        protected override void BeginProcessing()
        {
            CheckFilter(nameof(ApplicationId), ApplicationId);
            CheckFilter(nameof(Environment), Environment);
            CheckTenants(TenantId);
        }

        protected override void ProcessRecord()
        {
            if (!MyInvocation.ExpectingInput)
            {
                WriteHeld(TenantId, null);
                return;
            }

            if (TenantInput.Missing(TenantId) is SecureAppException missing)
            {
                FailItem(missing, null);
                return;
            }

            foreach (string tenant in TenantId!)
            {
                if (TenantInput.Refusal(tenant) is SecureAppException refusal)
                {
                    FailItem(refusal, tenant);
                }
                else
                {
                    WriteHeld(new[] { tenant }, tenant);
                }
            }
        }

        private void WriteHeld(string[]? tenants, string? target) =>
            Each(() => WriteObject(List(tenants, ApplicationId, Environment), enumerateCollection: true), target);
    }
}
