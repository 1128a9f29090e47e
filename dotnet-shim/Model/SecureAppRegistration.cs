using System;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>What New-SecureApp found, made and changed.</summary>
    /// <remarks>A secret is in <see cref="Credential"/> alone, and no property shows it.</remarks>
    public sealed class SecureAppRegistration
    {
        internal SecureAppRegistration(ValueMap record, SecureAppCredential? credential)
        {
            DisplayName = record.Text("displayName");
            ApplicationId = record.OptionalText("applicationId");
            ObjectId = record.OptionalText("objectId");
            ServicePrincipalId = record.OptionalText("servicePrincipalId");
            TenantId = record.Text("tenantId");
            TenantName = record.OptionalText("tenantName");
            Created = record.Texts("created");
            Changed = record.Texts("changed");
            Unchanged = record.Texts("unchanged");
            Failed = record.Texts("failed");
            Declined = record.Texts("declined");
            Credential = credential;
            SecretId = record.OptionalText("secretId");
            SecretExpiresOn = record.Time("secretExpiresOn");
            CsvPath = record.OptionalText("csvPath");
        }

        public string DisplayName { get; }

        /// <summary>The client id; none where the application was not created.</summary>
        public string? ApplicationId { get; }

        public string? ObjectId { get; }

        public string? ServicePrincipalId { get; }

        public string TenantId { get; }

        public string? TenantName { get; }

        /// <summary>What was made, a line each.</summary>
        public string[] Created { get; }

        public string[] Changed { get; }

        /// <summary>What was as it should be.</summary>
        public string[] Unchanged { get; }

        /// <summary>What could not be done; the errors say why.</summary>
        public string[] Failed { get; }

        /// <summary>What was not agreed to.</summary>
        public string[] Declined { get; }

        /// <summary>True where anything was made or changed.</summary>
        public bool HasChanged => Created.Length + Changed.Length > 0;

        /// <summary>The application with its new secret, or with its certificate; none where its secret was there before.</summary>
        public SecureAppCredential? Credential { get; }

        public string? SecretId { get; }

        public DateTimeOffset? SecretExpiresOn { get; }

        /// <summary>The file that holds the secret.</summary>
        public string? CsvPath { get; }

        public override string ToString() => DisplayName + " (" + ApplicationId + ")";
    }
}
