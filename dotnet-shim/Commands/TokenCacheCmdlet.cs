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

        /// <summary>The same for tenants on the command line.</summary>
        internal void CheckTenants(string[]? tenants)
        {
            if (!MyInvocation.BoundParameters.ContainsKey("TenantId"))
            {
                return;
            }

            Check(TenantInput.Missing(tenants), null);
            foreach (string tenant in tenants!)
            {
                Check(TenantInput.Refusal(tenant), tenant);
            }
        }

        internal static RequestBuilder Request(string kind, IEnumerable<string>? tenants, string? applicationId, string? environment) =>
            new RequestBuilder(kind)
                .Texts("tenants", tenants?.Select(tenant => tenant.Trim()))
                .Text("applicationId", applicationId is null ? null : ApplicationInput.Id(applicationId))
                .Text("environment", environment?.Trim());

        /// <exception cref="SecureAppException">A domain is among the tenants that no token was asked for with.</exception>
        internal static IReadOnlyList<SecureAppCachedToken> List(string[]? tenants, string? applicationId, string? environment)
        {
            using RequestBuilder request = Request("token_cache.list", tenants, applicationId, environment);
            List<object?> held = Native.Call(request) as List<object?> ?? new List<object?>();
            return held.OfType<ValueMap>().Select(facts => new SecureAppCachedToken(facts)).ToList();
        }
    }
}
