using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>What every command on a key vault takes: which vault, and who asks it.</summary>
    public abstract class KeyVaultCmdlet : OperationCmdlet
    {
        private SecureAppCredential? _asking;
        private long _rows;

        /// <summary>The vault's name, or its address.</summary>
        [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
        [Alias("VaultUri")]
        public string? VaultName { get; set; }

        [Parameter]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>Asks as the application although the credential has a refresh token.</summary>
        [Parameter]
        [Alias("ServicePrincipal")]
        public SwitchParameter AppOnly { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        /// <summary>The name of what is asked for.</summary>
        internal abstract string? Subject { get; }

        /// <summary>Where a pipeline's item stands, for a sentence; nothing where there is no pipeline.</summary>
        internal string InRow => MyInvocation.ExpectingInput ? " in row " + _rows + " of the input" : string.Empty;

        /// <summary>What a failure is about.</summary>
        private object? About => (string.IsNullOrWhiteSpace(Subject), MyInvocation.ExpectingInput) switch
        {
            (false, _) => new ObjectName(Subject),
            (true, true) => new InputRow(_rows),
            (true, false) => null,
        };

        protected override void ProcessRecord()
        {
            _rows++;
            Each(Serve, About);
        }

        /// <summary>Does what the command does, for one row of the input or for the command line.</summary>
        internal abstract void Serve();

        internal override void OnEnded(SecureAppException failure) => throw failure;

        /// <summary>A request with what every one of these commands says; the caller disposes of it.</summary>
        internal RequestBuilder VaultRequest(string kind)
        {
            if (string.IsNullOrWhiteSpace(VaultName))
            {
                throw ErrorRecords.Refusal(
                    "No key vault was given" + InRow + ".", "Use -VaultName with the vault's name, or its address such as https://contoso.vault.azure.net.");
            }

            // Once: what a maker of credentials should know is not repeated for each row.
            _asking ??= ResolveCredential(Credential);
            return new RequestBuilder(kind)
                .Credential("credential", _asking)
                .Text("environment", ResolveEnvironment(Environment))
                .Text("vault", VaultName!.Trim())
                .Flag("appOnly", AppOnly);
        }
    }
}
