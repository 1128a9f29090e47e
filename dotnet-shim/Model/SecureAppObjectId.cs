using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>What an id stands for.</summary>
    public sealed class SecureAppObjectId
    {
        internal SecureAppObjectId(ValueMap record)
        {
            Id = record.Text("id");
            Kind = record.Text("kind");
            DisplayName = record.OptionalText("displayName");
            AppId = record.OptionalText("appId");
            ObjectId = record.OptionalText("objectId");
            TenantId = record.OptionalText("tenantId");
            OwnerTenantId = record.OptionalText("ownerTenantId");
            Source = record.OptionalText("source");
            Description = record.OptionalText("description");
            Reason = record.OptionalText("reason");
        }

        /// <summary>The id, or the text that holds none.</summary>
        public string Id { get; }

        /// <summary>FirstPartyApplication, ServicePrincipal, ManagedIdentity, Application, User, Group, Device, .., Tenant, or Unknown.</summary>
        public string Kind { get; }

        public string? DisplayName { get; }

        /// <summary>The application's id, which is the same in all tenants.</summary>
        public string? AppId { get; }

        /// <summary>The object's id in the tenant, which is no other tenant's.</summary>
        public string? ObjectId { get; }

        /// <summary>The tenant that was asked; none for what is the same in all of them.</summary>
        public string? TenantId { get; }

        /// <summary>The tenant that the application is registered in.</summary>
        public string? OwnerTenantId { get; }

        /// <summary>BuiltIn for the module's own table, Directory for the tenant's directory.</summary>
        public string? Source { get; }

        public string? Description { get; }

        /// <summary>Why it is unknown.</summary>
        public string? Reason { get; }

        public override string ToString() => DisplayName ?? Id;
    }
}
