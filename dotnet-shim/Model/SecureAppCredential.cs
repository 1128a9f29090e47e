using System;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>
    /// Who asks: an application, proved by a secret, optionally acting for the user behind a refresh token.
    /// </summary>
    /// <remarks>
    /// A thread-safe handle to native memory that may be shared between runspaces (<c>$using:credential</c>). No secret
    /// can be read from it, and a serialised copy is of no use: create the credential again where it is needed.
    /// </remarks>
    public sealed class SecureAppCredential
    {
        internal SecureAppCredential(CredentialHandle handle)
        {
            Handle = handle;
            ValueMap facts = Native.Describe(handle);
            ApplicationId = facts.Text("applicationId");
            TenantId = facts.OptionalText("tenantId");
            HasSecret = facts.Flag("hasSecret");
            HasRefreshToken = facts.Flag("hasRefreshToken");
        }

        public string ApplicationId { get; }

        /// <summary>The home tenant, where it is known.</summary>
        public string? TenantId { get; }

        /// <summary>The user behind the refresh token, where it is known.</summary>
        public string? Account => Facts().OptionalText("account");

        /// <summary>When the refresh token was issued, where it is known.</summary>
        public DateTimeOffset? AcquiredOn => Facts().Time("acquiredOn");

        /// <summary>When the refresh token ends if it is not used again, as far as it is known.</summary>
        public DateTimeOffset? RefreshTokenExpiresOn => Facts().Time("refreshTokenExpiresOn");

        public bool HasSecret { get; }

        public bool HasRefreshToken { get; }

        internal CredentialHandle Handle { get; }

        public override string ToString()
        {
            string proof = HasSecret && HasRefreshToken ? "secret and refresh token" : HasSecret ? "secret" : "refresh token";
            return "SecureAppCredential " + ApplicationId + " (" + proof + ")";
        }

        /// <summary>Read again each time: what is known grows when a refresh token is redeemed.</summary>
        private ValueMap Facts() => Native.Describe(Handle);
    }
}
