using System;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>What a customer has consented to on one API, or what came of granting or revoking that.</summary>
    public sealed class SecureAppConsent
    {
        internal SecureAppConsent(ValueMap record)
        {
            TenantId = record.Text("tenantId");
            DisplayName = record.OptionalText("displayName");
            Resource = record.OptionalText("resource");
            ResourceId = record.OptionalText("resourceId");
            Scopes = record.Texts("scopes");
            GrantedScopes = record.Get("granted") is null ? null : record.Texts("granted");
            MissingScopes = record.Get("missing") is null ? null : record.Texts("missing");
            Outcome = record.Text("outcome");
            Verified = record.Get("verified") as bool?;
            Remedy = record.OptionalText("remedy");
            AdminConsentUri = new Uri(record.Text("page"));
            Error = record.Map("error") is ValueMap error ? SecureAppException.From(error, SecureAppErrorKind.Internal) : null;
        }

        public string TenantId { get; }

        public string? DisplayName { get; }

        /// <summary>The API by its name; null where all of the tenant's consent is meant.</summary>
        public string? Resource { get; }

        /// <summary>The API's application id.</summary>
        public string? ResourceId { get; }

        /// <summary>The delegated permissions that were asked about.</summary>
        public string[] Scopes { get; }

        /// <summary>The delegated permissions that a token had; null where none was seen.</summary>
        public string[]? GrantedScopes { get; }

        /// <summary>Those of <see cref="Scopes"/> that the token did not have; null where none was seen.</summary>
        public string[]? MissingScopes { get; }

        /// <summary>
        /// Granted, AlreadyGranted, Replaced or Failed of a grant; Granted, Incomplete, NotGranted or Unknown of a look; Revoked, NotGranted
        /// or Failed of a revocation.
        /// </summary>
        public string Outcome { get; }

        /// <summary>Whether a token showed all of it; null where nobody looked.</summary>
        public bool? Verified { get; }

        /// <summary>What to do next.</summary>
        public string? Remedy { get; }

        /// <summary>Where an administrator of the customer consents to all that the application asks for.</summary>
        public Uri AdminConsentUri { get; }

        /// <summary>Why it failed, or could not be seen.</summary>
        public SecureAppException? Error { get; }

        public override string ToString() => (DisplayName ?? TenantId) + (Resource is null ? string.Empty : " " + Resource) + ": " + Outcome;
    }
}
