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

        /// <summary>The tenant as the user named it, a GUID or a domain.</summary>
        internal string Tenant { get; set; } = string.Empty;

        /// <summary>True where the tenant is another one than the user's, or the application's, own.</summary>
        internal bool IsCustomer { get; set; }

        /// <summary>True where the tokens are the application's own, with no user in them.</summary>
        internal bool IsAppOnly { get; set; }

        internal string ApplicationId { get; set; } = string.Empty;

        /// <summary>The user, or the application where there is none.</summary>
        internal string Account { get; set; } = string.Empty;

        /// <summary>The tenant that the tokens are for.</summary>
        internal string TenantId => _tokens.Values.First().TenantId;

        /// <summary>When the first of the tokens ends.</summary>
        internal DateTimeOffset ExpiresOn => _tokens.Values.Min(token => token.ExpiresOn);

        /// <summary>INVARIANT: every need of the service has its token when its parameters are put together.</summary>
        internal ServiceToken Token(string service) => _tokens[service];

        /// <summary>The domain where the user named the tenant by its onmicrosoft one; its GUID otherwise.</summary>
        internal string OrganizationName =>
            Tenant.IndexOf(".onmicrosoft.", StringComparison.OrdinalIgnoreCase) > 0 || Tenant.EndsWith(".partner.onmschina.cn", StringComparison.OrdinalIgnoreCase)
                ? Tenant
                : TenantId;
    }
}
