using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>What the commands about the token cache share: saying which tokens are meant. They send nothing.</summary>
    public abstract class TokenCacheCmdlet : SecureAppCmdlet
    {
        /// <summary>Ends the command where a filter was given that says nothing: an empty variable never means everything.</summary>
        internal void CheckFilter(string name, string? value)
        {
            if (!MyInvocation.BoundParameters.ContainsKey(name))
            {
                return;
            }

            if (string.IsNullOrWhiteSpace(value))
            {
                FailInput("-" + name + " is empty.", "Give it a value, or leave it out to mean all.", null);
            }

            if (name == "ApplicationId")
            {
                Check(ApplicationInput.Refusal(value!), value);
            }
            else
            {
                ResolveEnvironment(value);
            }
        }

        /// <summary>The same for tenants.</summary>
        internal void CheckTenants(string[]? tenants)
        {
            if (!MyInvocation.BoundParameters.ContainsKey("TenantId"))
            {
                return;
            }

            if (TenantInput.Missing(tenants) is SecureAppException missing)
            {
                Fail(missing, null);
            }

            foreach (string tenant in tenants!)
            {
                if (TenantInput.Refusal(tenant) is SecureAppException refusal)
                {
                    Fail(refusal, tenant);
                }
            }
        }

        internal static RequestBuilder Request(string kind, IEnumerable<string>? tenants, string? applicationId, string? environment) =>
            new RequestBuilder(kind)
                .Texts("tenants", tenants?.Select(tenant => tenant.Trim()))
                .Text("applicationId", applicationId?.Trim())
                .Text("environment", environment?.Trim());

        internal IReadOnlyList<SecureAppCachedToken> List(string[]? tenants, string? applicationId, string? environment)
        {
            using RequestBuilder request = Request("token_cache.list", tenants, applicationId, environment);
            List<object?> held = Guarded(() => Native.Call(request) as List<object?>, null) ?? new List<object?>();
            return held.OfType<ValueMap>().Select(facts => new SecureAppCachedToken(facts)).ToList();
        }
    }
}
