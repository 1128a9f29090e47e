using System;
using System.Collections.Generic;
using System.Linq;

namespace SecureAppModel.Connect
{
    /// <summary>What is known when a service's parameters are put together.</summary>
    internal sealed class ConnectContext
    {
        private readonly IReadOnlyDictionary<string, ServiceToken> _tokens;

        internal ConnectContext(CommandShape shape, IReadOnlyDictionary<string, ServiceToken> tokens)
        {
            Shape = shape;
            _tokens = tokens;
        }

        internal CommandShape Shape { get; }

        /// <summary>The environment's name as the user gave it: Public, USGov, ..</summary>
        internal string Environment { get; set; } = string.Empty;

        /// <summary>Where users of the environment sign in: https://login.microsoftonline.com.</summary>
        internal string LoginEndpoint { get; set; } = string.Empty;

        /// <summary>The name of a service's resource in the environment.</summary>
        internal Func<string, string> Resource { get; set; } = _ => string.Empty;

        /// <summary>Set where the cmdlet signs in by itself; then there is no token.</summary>
        internal CertificateProof? Certificate { get; set; }

        /// <summary>The address of the site, for a service that is connected to one.</summary>
        internal string? Site { get; set; }

        /// <summary>True where the tenant is another one than the user's, or the application's, own.</summary>
        internal bool IsCustomer { get; set; }

        /// <summary>True where the tokens are the application's own, with no user in them.</summary>
        internal bool IsAppOnly { get; set; }

        internal string ApplicationId { get; set; } = string.Empty;

        /// <summary>The user, or the application where there is none.</summary>
        internal string Account { get; set; } = string.Empty;

        /// <summary>The tenant as it was asked for, and the organization as -Organization has it.</summary>
        internal string AskedTenant { get; set; } = string.Empty;

        internal string? NamedOrganization { get; set; }

        /// <summary>The tenant that the tokens are for; without any, the one that was asked for.</summary>
        internal string TenantId => _tokens.Count > 0 ? _tokens.Values.First().TenantId : AskedTenant;

        /// <summary>When the first of the tokens ends; null where there is none.</summary>
        internal DateTimeOffset? ExpiresOn => _tokens.Count > 0 ? _tokens.Values.Min(token => token.ExpiresOn) : (DateTimeOffset?)null;

        /// <summary>INVARIANT: every need of the service that is not optional has its token when its parameters are put together.</summary>
        internal ServiceToken Token(string service) => _tokens[service];

        internal bool Has(string service) => _tokens.ContainsKey(service);

        /// <summary>The domain that the tenant was made with, such as contoso.onmicrosoft.com; null where nothing says it.</summary>
        internal string? InitialDomain { get; set; }

        /// <summary>That domain where it is known; the tenant's GUID otherwise.</summary>
        internal string OrganizationName => InitialDomain ?? TenantId;

        /// <summary>True for a name that Microsoft gave a tenant, in any cloud.</summary>
        internal static bool IsInitialDomain(string? name) =>
            name is not null
            && (name.IndexOf(".onmicrosoft.", StringComparison.OrdinalIgnoreCase) > 0 || name.EndsWith(".partner.onmschina.cn", StringComparison.OrdinalIgnoreCase));
    }
}
