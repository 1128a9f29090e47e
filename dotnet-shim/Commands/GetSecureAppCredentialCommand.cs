using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Makes a credential of what a store keeps, and keeps the stored copy current from then on.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureAppCredential", DefaultParameterSetName = KeyVault)]
    [OutputType(typeof(SecureAppCredential))]
    public sealed class GetSecureAppCredentialCommand : StoredCredentialCmdlet
    {
        /// <summary>Reads environment variables that begin with -Name; nothing is written back.</summary>
        [Parameter(ParameterSetName = EnvironmentCredential.Set, Mandatory = true)]
        public SwitchParameter EnvironmentVariable { get; set; }

        protected override void ProcessRecord()
        {
            if (EnvironmentVariable)
            {
                WriteObject(Guarded(() => EnvironmentCredential.Read(Name), new ObjectName(Name)));
                return;
            }

            CheckPlace();
            using RequestBuilder request = PlaceRequest("credential_load", IsKeyVault ? VaultAccess() : null);
            if (!IsKeyVault)
            {
                request.Secret("document", Guarded(() => SecretManagement.Read(this, SecretManagementVault!.Trim(), Name!.Trim()), new ObjectName(Name)));
            }

            Run(request);
        }

        internal override void OnRecord(ValueMap record) => WriteObject(TakeCredential());
    }
}
