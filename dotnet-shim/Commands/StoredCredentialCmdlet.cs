using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>What every command on a stored credential takes: where it is, under which name, and who may go there.</summary>
    public abstract class StoredCredentialCmdlet : OperationCmdlet
    {
        internal const string KeyVault = "KeyVault";
        internal const string Secrets = "SecretManagement";

        /// <summary>The name it is stored under.</summary>
        [Parameter(Position = 0)]
        public string? Name { get; set; }

        /// <summary>An Azure key vault, by its name or its address.</summary>
        [Parameter(ParameterSetName = KeyVault)]
        [Alias("VaultUri")]
        public string? VaultName { get; set; }

        /// <summary>A vault of Microsoft.PowerShell.SecretManagement.</summary>
        [Parameter(ParameterSetName = Secrets, Mandatory = true)]
        [AllowEmptyString]
        public string? SecretManagementVault { get; set; }

        /// <summary>Who reads and writes the key vault.</summary>
        [Parameter(ParameterSetName = KeyVault)]
        [Alias("AccessCredential")]
        public object? VaultCredential { get; set; }

        /// <summary>Reads and writes the key vault as the application although -VaultCredential has a refresh token.</summary>
        [Parameter(ParameterSetName = KeyVault)]
        public SwitchParameter AppOnly { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        internal bool IsKeyVault => ParameterSetName == KeyVault;

        internal override void OnEnded(SecureAppException failure) => Fail(failure, new ObjectName(Name));

        private StorePlace Place => new StorePlace(Name, IsKeyVault, IsKeyVault ? VaultName : SecretManagementVault);

        /// <summary>What is left to say once everything that is needed to find it is there.</summary>
        internal void CheckPlace() => Check(Place.Refusal(), Place.Target);

        /// <summary>A request with the place; the caller disposes of it.</summary>
        internal RequestBuilder PlaceRequest(string kind, SecureAppCredential? access) =>
            Place.Request(kind, ResolveEnvironment(Environment), access, AppOnly);

        /// <summary>Who goes to the key vault: -VaultCredential, or the session's default credential.</summary>
        internal SecureAppCredential VaultAccess() => ResolveCredential(VaultCredential, nameof(VaultCredential));
    }
}
