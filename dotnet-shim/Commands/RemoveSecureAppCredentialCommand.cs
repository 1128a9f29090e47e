using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Deletes a stored credential.</summary>
    [Cmdlet(VerbsCommon.Remove, "SecureAppCredential", SupportsShouldProcess = true, DefaultParameterSetName = KeyVault)]
    public sealed class RemoveSecureAppCredentialCommand : StoredCredentialCmdlet
    {
        protected override void ProcessRecord()
        {
            CheckPlace();
            string where = (IsKeyVault ? VaultName : SecretManagementVault) + "/" + Name;
            SecureAppCredential? access = IsKeyVault ? VaultAccess() : null;
            if (!ShouldProcess(where, "Delete stored credential"))
            {
                return;
            }

            if (!IsKeyVault)
            {
                Guarded(() => SecretManagement.Remove(this, SecretManagementVault!.Trim(), Name!.Trim()), new ObjectName(Name));
            }

            // For a vault that is not reached from the native side this says that nothing is to be written there any more.

            using RequestBuilder request = PlaceRequest("credential_remove", access);
            Run(request);
        }

        internal override void OnRecord(ValueMap record)
        {
        }
    }
}
