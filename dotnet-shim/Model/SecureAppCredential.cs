using System;
using SecureAppModel.Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>
    /// Who asks: an application with what proves it, optionally acting for the user behind a refresh token, or a managed
    /// identity of this machine.
    /// </summary>
    /// <remarks>
    /// A thread-safe handle to native memory that may be shared between runspaces (<c>$using:credential</c>). No secret
    /// can be read from it, and a serialised copy is of no use: create the credential again where it is needed.
    /// </remarks>
    public sealed class SecureAppCredential
    {
        private string? _listedFor;

        /// <param name="handle">The native credential.</param>
        /// <param name="needs">What must live as long as it does: an <see cref="ExternalSigner"/> or another credential.</param>
        internal SecureAppCredential(CredentialHandle handle, object? needs = null)
        {
            Handle = handle;
            ValueMap facts = Native.Describe(handle);
            ApplicationId = facts.Text("applicationId");
            TenantId = facts.OptionalText("tenantId");
            HasSecret = facts.Flag("hasSecret");
            HasRefreshToken = facts.Flag("hasRefreshToken");
            Proof = facts.OptionalText("proof");
            ManagedIdentity = facts.OptionalText("managedIdentity");
            ManagedIdentityPlatform = facts.OptionalText("managedIdentityPlatform");
            HasCertificate = facts.Flag("hasCertificate");
            CertificateThumbprint = facts.OptionalText("certificateThumbprint");
            CertificateSubject = facts.OptionalText("certificateSubject");
            CertificateExpiresOn = facts.Time("certificateExpiresOn");
            Warnings = facts.Texts("warnings");
            Needs = needs ?? ExternalSigner.Known(CertificateThumbprint);
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

        /// <summary>Whole days until then; negative once it has passed.</summary>
        public int? RefreshTokenDaysLeft =>
            RefreshTokenExpiresOn is DateTimeOffset end ? (int)Math.Floor((end - DateTimeOffset.UtcNow).TotalDays) : null;

        /// <summary>Where it is stored and kept current; null where it is not.</summary>
        public string? Store => Facts().OptionalText("store");

        /// <summary>Whether the user signed in with multifactor authentication; null where nobody saw the sign-in.</summary>
        public bool? Mfa => Facts().Get("mfa") as bool?;

        public bool HasSecret { get; }

        public bool HasRefreshToken { get; }

        /// <summary>What the application proves itself with, for a person; null where nothing does.</summary>
        public string? Proof { get; }

        /// <summary>The managed identity that the credential is, or that proves the application.</summary>
        public string? ManagedIdentity { get; }

        /// <summary>The hosting platform that gives out the managed identity's tokens.</summary>
        public string? ManagedIdentityPlatform { get; }

        public bool HasCertificate { get; }

        /// <summary>SHA-1, as Windows and the app registration show it.</summary>
        public string? CertificateThumbprint { get; }

        public string? CertificateSubject { get; }

        public DateTimeOffset? CertificateExpiresOn { get; }

        /// <summary>What its maker should be told: that its certificate ends soon.</summary>
        internal string[] Warnings { get; }

        /// <summary>The credential is an identity of this machine: it has a tenant of its own.</summary>
        internal bool IsManagedIdentity => ManagedIdentity is not null && Proof is null;

        internal CredentialHandle Handle { get; }

        /// <summary>The id of the home tenant, where it is known or a list of customers has told it.</summary>
        internal string? HomeTenantId => Guid.TryParse(TenantId, out _) ? TenantId : ListedFor;

        /// <summary>The partner whose customers were listed with it, or with the refresh token that it was made from.</summary>
        internal string? ListedFor => _listedFor ?? ListedPartners.Of(RefreshTokenMark);

        /// <summary>What stands for the refresh token that it was made from; null where nobody passed one.</summary>
        internal string? RefreshTokenMark { get; set; }

        /// <summary>
        /// What must live as long as the credential, or one that was made from it: the thread of a key that stays in .NET, or the
        /// credential by which a key vault is asked to sign.
        /// </summary>
        internal object? Needs { get; }

        public override string ToString()
        {
            if (IsManagedIdentity)
            {
                return "SecureAppCredential (" + ManagedIdentity + ")";
            }

            string proof = Proof is null ? "refresh token" : HasRefreshToken ? Proof + " and refresh token" : Proof;
            return "SecureAppCredential " + ApplicationId + " (" + proof + ")";
        }

        /// <summary>Customers were listed with it: its user is that partner's.</summary>
        internal void RememberPartner(string? partner)
        {
            _listedFor = partner;
            if (partner is not null && RefreshTokenMark is string mark)
            {
                ListedPartners.Remember(mark, partner);
            }
        }

        /// <summary>Read again each time: what is known grows when a refresh token is redeemed.</summary>
        private ValueMap Facts() => Native.Describe(Handle);
    }
}
