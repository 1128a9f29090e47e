using System;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <content>A certificate or a client secret that a key vault keeps.</content>
    public sealed partial class NewSecureAppCredentialCommand
    {
        private const string KeyVaultSet = "KeyVault";

        private SecureAppCredential? _access;

        /// <summary>The vault's name, or its address.</summary>
        [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = KeyVaultSet)]
        [Alias("VaultUri", "KeyVault")]
        [AllowEmptyString]
        public string? VaultName { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = KeyVaultSet)]
        public string? CertificateName { get; set; }

        /// <summary>The vault signs, and the key never leaves it.</summary>
        [Parameter(ParameterSetName = KeyVaultSet)]
        public SwitchParameter RemoteSigning { get; set; }

        /// <summary>A secret whose value is the client secret.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = KeyVaultSet)]
        public string? SecretName { get; set; }

        /// <summary>The newest where none is given.</summary>
        [Parameter(ParameterSetName = KeyVaultSet)]
        [Alias("CertificateVersion", "SecretVersion")]
        public string? Version { get; set; }

        /// <summary>Who asks the vault; the session's default where none is given.</summary>
        [Parameter(ParameterSetName = KeyVaultSet)]
        [Alias("AccessCredential")]
        public object? VaultCredential { get; set; }

        /// <summary>Asks the vault as the application although -VaultCredential has a refresh token.</summary>
        [Parameter(ParameterSetName = KeyVaultSet)]
        public SwitchParameter AppOnly { get; set; }

        /// <summary>The vault's cloud.</summary>
        [Parameter(ParameterSetName = KeyVaultSet)]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        internal override void OnRecord(ValueMap record) => Write(TakeCredential(_access));

        internal override void OnEnded(SecureAppException failure) => throw failure;

        private void OpenFromVault(string? applicationId)
        {
            string? home = HomeGiven();
            SecureAppException? refusal = string.IsNullOrWhiteSpace(applicationId) ? NoApplication() : ApplicationInput.Refusal(applicationId!);
            refusal ??= home is null ? null : TenantInput.Refusal(home);
            if (refusal is not null)
            {
                throw refusal;
            }

            if (string.IsNullOrWhiteSpace(VaultName))
            {
                throw ErrorRecords.Refusal("No key vault was given.", "Use -VaultName with the vault's name, or its address such as https://contoso.vault.azure.net.");
            }

            _access = ResolveCredential(VaultCredential, nameof(VaultCredential));
            using RequestBuilder request = new RequestBuilder("vault_credential")
                .Credential("credential", _access)
                .Text("environment", ResolveEnvironment(Environment))
                .Text("vault", VaultName!.Trim())
                .Flag("appOnly", AppOnly)
                .Text("certificateName", CertificateName)
                .Text("secretName", SecretName)
                .Text("version", Version)
                .Flag("remote", RemoteSigning)
                .Text("applicationId", Guid.Parse(applicationId).ToString("D"))
                .Text("tenant", home)
                .Text("account", Account)
                .Secret("refreshToken", RefreshTokenGiven())
                .Time("acquiredOn", AcquiredOn)
                .Text("assertionAlgorithm", AssertionAlgorithm);
            Run(request);
        }
    }
}
