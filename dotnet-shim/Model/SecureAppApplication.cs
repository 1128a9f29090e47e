using System;
using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>An application's registration. Microsoft Graph never gives a secret back, so there is none in it.</summary>
    public sealed class SecureAppApplication
    {
        internal SecureAppApplication(ValueMap record)
        {
            TenantId = record.Text("tenantId");
            DisplayName = record.Text("displayName");
            ApplicationId = record.Text("applicationId");
            ObjectId = record.Text("objectId");
            ServicePrincipalId = record.OptionalText("servicePrincipalId");
            SignInAudience = record.OptionalText("signInAudience");
            CreatedOn = record.Time("createdOn");
            RedirectUris = record.Texts("redirectUris");
            Tags = record.Texts("tags");
            ApplicationPermissions = (int)record.Int("roles");
            DelegatedPermissions = (int)record.Int("scopes");
            Keys = record.Maps("keys").Select(key => new SecureAppKey(key)).ToArray();
        }

        public string TenantId { get; }

        public string DisplayName { get; }

        /// <summary>The client id.</summary>
        public string ApplicationId { get; }

        public string ObjectId { get; }

        /// <summary>None where its own tenant has no service principal of it.</summary>
        public string? ServicePrincipalId { get; }

        /// <summary>AzureADMyOrg for the own organization alone.</summary>
        public string? SignInAudience { get; }

        public DateTimeOffset? CreatedOn { get; }

        public string[] RedirectUris { get; }

        public string[] Tags { get; }

        /// <summary>How many application permissions it asks for.</summary>
        public int ApplicationPermissions { get; }

        /// <summary>How many delegated permissions it asks for.</summary>
        public int DelegatedPermissions { get; }

        /// <summary>Its secrets and certificates.</summary>
        public SecureAppKey[] Keys { get; }

        /// <summary>When the last of them ends.</summary>
        public DateTimeOffset? KeysEndOn => Keys.Max(key => key.EndsOn);

        public override string ToString() => DisplayName + " (" + ApplicationId + ")";
    }

    /// <summary>A secret or a certificate of an application, as far as the registration tells.</summary>
    public class SecureAppKey
    {
        internal SecureAppKey(ValueMap key)
        {
            Kind = key.Text("kind");
            KeyId = key.Text("keyId");
            DisplayName = key.OptionalText("displayName");
            Hint = key.OptionalText("hint");
            EndsOn = key.Time("endsOn");
        }

        /// <summary>Secret or Certificate.</summary>
        public string Kind { get; }

        public string KeyId { get; }

        public string? DisplayName { get; }

        /// <summary>A secret's first three letters, a certificate's thumbprint.</summary>
        public string? Hint { get; }

        public DateTimeOffset? EndsOn { get; }

        public override string ToString() => Kind + " " + (DisplayName ?? KeyId);
    }

    /// <summary>A key that an update of the credential left, and why.</summary>
    public sealed class SecureAppKeptKey : SecureAppKey
    {
        internal SecureAppKeptKey(ValueMap key)
            : base(key)
        {
            Reason = key.Text("reason");
        }

        public string Reason { get; }

        public override string ToString() => Kind + " " + KeyId + ": " + Reason;
    }
}
