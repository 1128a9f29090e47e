using System;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>What is known of a token in the cache. It holds no token and no secret.</summary>
    public sealed class SecureAppCachedToken
    {
        internal SecureAppCachedToken(ValueMap facts)
        {
            Number = facts.Int("number");
            Environment = facts.OptionalText("environment");
            TenantId = facts.OptionalText("tenantId");
            ApplicationId = facts.Text("applicationId");
            Account = facts.OptionalText("account");
            Resource = facts.OptionalText("resource");
            Scopes = facts.Get("scopes") is null ? null : facts.Texts("scopes");
            Grant = facts.Text("grant");
            ExpiresOn = facts.Time("expiresOn") ?? default;
        }

        /// <summary>The cloud's name; null where it was removed or replaced and a command still uses it.</summary>
        public string? Environment { get; }

        /// <summary>The tenant's GUID; null where neither the question nor the token tells it, as of a managed identity's opaque one.</summary>
        public string? TenantId { get; }

        public string ApplicationId { get; }

        /// <summary>The user that the token is for; null on an application's own token.</summary>
        public string? Account { get; }

        /// <summary>The resource of a v1 token; null on one that was asked for by scope.</summary>
        public string? Resource { get; }

        /// <summary>The scopes of a v2 token; null on one that was asked for by resource.</summary>
        public string[]? Scopes { get; }

        /// <summary>How it was obtained, as the service calls it: refresh_token, client_credentials; on_behalf_of and managed_identity for the rest.</summary>
        public string Grant { get; }

        public DateTimeOffset ExpiresOn { get; }

        /// <summary>Tells it from every other token of this process.</summary>
        internal long Number { get; }

        public override string ToString() =>
            "Token for " + (Resource ?? string.Join(" ", Scopes ?? Array.Empty<string>())) + (TenantId is null ? string.Empty : " in tenant " + TenantId);
    }
}
