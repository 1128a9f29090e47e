using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Forgets tokens that this process holds; the next command that needs one asks for it again.</summary>
    [Cmdlet(VerbsCommon.Clear, "SecureAppTokenCache", SupportsShouldProcess = true, DefaultParameterSetName = Meant)]
    public sealed class ClearSecureAppTokenCacheCommand : TokenCacheCmdlet
    {
        private const string Meant = "Filter";
        private const string Given = "Token";

        [Parameter(Position = 0, ParameterSetName = Meant)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string[]? TenantId { get; set; }

        [Parameter(ParameterSetName = Meant)]
        [Alias("ClientId", "AppId")]
        public string? ApplicationId { get; set; }

        [Parameter(ParameterSetName = Meant)]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        /// <summary>Tokens as Get-SecureAppTokenCache lists them; just these are forgotten.</summary>
        [Parameter(ParameterSetName = Given, Mandatory = true, ValueFromPipeline = true)]
        public SecureAppCachedToken[]? InputObject { get; set; }

        protected override void ProcessRecord()
        {
            if (ParameterSetName == Given)
            {
                foreach (SecureAppCachedToken token in InputObject!)
                {
                    if (ShouldProcess(token.ToString(), "Forget token"))
                    {
                        using RequestBuilder one = new RequestBuilder("token_cache.clear").Int("number", token.Number);
                        Forget(one);
                    }
                }

                return;
            }

            CheckFilter(nameof(ApplicationId), ApplicationId);
            CheckFilter(nameof(Environment), Environment);
            CheckTenants(TenantId);
            IReadOnlyList<SecureAppCachedToken> held = Guarded(() => List(TenantId, ApplicationId, Environment), null);
            int tenants = held.Select(token => token.TenantId).Distinct().Count();
            string what = held.Count + (held.Count == 1 ? " token" : " tokens") + " of " + tenants + (tenants == 1 ? " tenant" : " tenants");
            if (ShouldProcess(what, "Forget tokens"))
            {
                using RequestBuilder request = Request("token_cache.clear", TenantId, ApplicationId, Environment);
                Forget(request);
            }
        }

        private void Forget(RequestBuilder request) =>
            WriteVerbose("Tokens forgotten: " + (Guarded(() => Native.Call(request) as long?, null) ?? 0) + ".");
    }
}
