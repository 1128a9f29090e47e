using System;
using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>What Update-SecureAppCredential did: the new key, and what became of the others.</summary>
    /// <remarks>A secret is in <see cref="Credential"/> alone, and no property shows it.</remarks>
    public sealed class SecureAppCredentialUpdate
    {
        internal SecureAppCredentialUpdate(ValueMap record, SecureAppCredential credential)
        {
            DisplayName = record.Text("displayName");
            ApplicationId = record.Text("applicationId");
            ObjectId = record.Text("objectId");
            TenantId = record.Text("tenantId");
            Kind = record.Text("kind");
            KeyId = record.OptionalText("keyId");
            ExpiresOn = record.Time("expiresOn");
            Store = record.OptionalText("store");
            Retired = record.Maps("retired").Select(key => new SecureAppKey(key)).ToArray();
            Kept = record.Maps("kept").Select(key => new SecureAppKeptKey(key)).ToArray();
            Credential = credential;
        }

        public string DisplayName { get; }

        /// <summary>The client id.</summary>
        public string ApplicationId { get; }

        public string ObjectId { get; }

        public string TenantId { get; }

        /// <summary>What the application proves itself with from now on: Secret or Certificate.</summary>
        public string Kind { get; }

        /// <summary>The new key's id; null where the directory does not show a certificate's entry yet.</summary>
        public string? KeyId { get; }

        /// <summary>When the new key ends, in UTC.</summary>
        public DateTimeOffset? ExpiresOn { get; }

        /// <summary>Where the new credential is stored; null where it is in <see cref="Credential"/> alone.</summary>
        public string? Store { get; }

        /// <summary>The keys that were removed.</summary>
        public SecureAppKey[] Retired { get; }

        /// <summary>The application's other keys, each with why it was left.</summary>
        public SecureAppKeptKey[] Kept { get; }

        /// <summary>The credential with the new key, for the same user.</summary>
        public SecureAppCredential Credential { get; }

        public override string ToString() => DisplayName + " (" + ApplicationId + ")";
    }
}
