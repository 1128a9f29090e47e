using System.Management.Automation;
using System.Net;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Reads a secret from a key vault, or lists what there is without the values.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppKeyVaultSecret")]
    [OutputType(typeof(SecureAppKeyVaultSecret), typeof(string))]
    public sealed class GetSecureAppKeyVaultSecretCommand : KeyVaultCmdlet
    {
        /// <summary>The secret; all of the vault's, without their values, where none is given.</summary>
        [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
        [Alias("SecretName")]
        public string? Name { get; set; }

        /// <summary>The newest where none is given.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string? Version { get; set; }

        /// <summary>Lists every version of the secret, without the values.</summary>
        [Parameter]
        public SwitchParameter IncludeVersions { get; set; }

        /// <summary>Writes the value itself, as a string.</summary>
        [Parameter]
        public SwitchParameter AsPlainText { get; set; }

        internal override string? Subject => Name;

        protected override void BeginProcessing()
        {
            // What the command line says is wrong for every row.
            Check(VersionsRefusal(), new ObjectName(Name));
        }

        internal override void Serve()
        {
            bool named = !string.IsNullOrWhiteSpace(Name);

            // A name that was given, but is empty, never silently becomes all of them.
            if (!named && (MyInvocation.BoundParameters.ContainsKey(nameof(Name)) || AsPlainText || IncludeVersions || Version is not null))
            {
                throw ErrorRecords.Refusal("No secret was named" + InRow + ".", "Use -Name; without it, and without -AsPlainText, the vault's secrets are listed.");
            }

            if (VersionsRefusal() is SecureAppException refusal)
            {
                throw refusal;
            }

            bool list = !named || IncludeVersions;
            using RequestBuilder request = VaultRequest(list ? "vault_secret_list" : "vault_secret_get")
                .Text("name", named ? Name!.Trim() : null);
            Run(list ? request : request.Text("version", Version?.Trim()));
        }

        internal override void OnRecord(ValueMap record)
        {
            SecureAppKeyVaultSecret secret = new SecureAppKeyVaultSecret(record);
            if (AsPlainText)
            {
                WriteObject(new NetworkCredential(string.Empty, secret.SecretValue).Password);
                return;
            }

            WriteObject(secret);
        }

        private SecureAppException? VersionsRefusal() => IncludeVersions && (AsPlainText || Version is not null)
            ? ErrorRecords.Refusal("-IncludeVersions lists versions without their values.", "Leave out -AsPlainText and -Version, or -IncludeVersions.")
            : null;
    }
}
