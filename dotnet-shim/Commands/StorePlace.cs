using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Where a stored credential is: a key vault or a vault of Microsoft.PowerShell.SecretManagement, and a name in it.</summary>
    internal sealed class StorePlace
    {
        internal StorePlace(string? name, bool isKeyVault, string? vault)
        {
            Name = name?.Trim() ?? string.Empty;
            IsKeyVault = isKeyVault;
            Vault = vault?.Trim() ?? string.Empty;
        }

        internal string Name { get; }

        internal bool IsKeyVault { get; }

        internal string Vault { get; }

        /// <summary>What an error is about.</summary>
        internal ObjectName? Target => Name.Length == 0 ? null : new ObjectName(Name);

        /// <summary>Null where everything that is needed to find it is there.</summary>
        internal SecureAppException? Refusal()
        {
            if (Name.Length == 0)
            {
                return ErrorRecords.Refusal("The stored credential has no name.", "Use -Name with the name it is, or is to be, stored under.");
            }

            if (Vault.Length > 0)
            {
                return null;
            }

            return IsKeyVault
                ? ErrorRecords.Refusal(
                    "No store was given.",
                    "Use -VaultName for an Azure key vault, or -SecretManagementVault for a vault of Microsoft.PowerShell.SecretManagement.")
                : ErrorRecords.Refusal("-SecretManagementVault is empty.", "Use the vault's registered name; Get-SecretVault lists them.");
        }

        /// <summary>A request with the place; the caller disposes of it.</summary>
        internal RequestBuilder Request(string kind, string environment, SecureAppCredential? access, bool appOnly)
        {
            RequestBuilder request = new RequestBuilder(kind).Text("environment", environment).Text("name", Name);
            if (!IsKeyVault)
            {
                HostStore.Use();
                return request.Text("hostStore", Vault);
            }

            request.Text("vault", Vault).Flag("appOnly", appOnly);
            return access is null ? request : request.Credential("vaultCredential", access);
        }
    }
}
