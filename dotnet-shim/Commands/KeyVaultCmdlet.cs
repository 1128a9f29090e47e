using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>What every command on a key vault takes: which vault, and who asks it.</summary>
    public abstract class KeyVaultCmdlet : OperationCmdlet
    {
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

        /// <summary>What a failure is about.</summary>
        internal abstract string? Subject { get; }

        /// <summary>One of several that cannot be had leaves the others; the only one ends the command.</summary>
        internal override void OnEnded(SecureAppException failure)
        {
            if (MyInvocation.ExpectingInput)
            {
                FailItem(failure, new ObjectName(Subject));
                return;
            }

            Fail(failure, new ObjectName(Subject));
        }

        /// <summary>A request with what every one of these commands says; the caller disposes of it.</summary>
        internal RequestBuilder VaultRequest(string kind)
        {
            if (string.IsNullOrWhiteSpace(VaultName))
            {
                FailInput("No key vault was given.", "Use -VaultName with the vault's name, or its address such as https://contoso.vault.azure.net.", null);
            }

            SecureAppCredential credential = ResolveCredential(Credential);
            return new RequestBuilder(kind)
                .Credential("credential", credential)
                .Text("environment", ResolveEnvironment(Environment))
                .Text("vault", VaultName!.Trim())
                .Flag("appOnly", AppOnly);
        }
    }
}
