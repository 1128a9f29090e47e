using System.Management.Automation;
using System.Security;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Stores a credential, and keeps the stored copy current from then on.</summary>
    [Cmdlet(VerbsData.Save, "SecureAppCredential", SupportsShouldProcess = true, DefaultParameterSetName = KeyVault)]
    [OutputType(typeof(SecureAppCredential))]
    public sealed class SaveSecureAppCredentialCommand : StoredCredentialCmdlet
    {
        private const string WithoutCertificate =
            "Keep it in a key vault and make the credential with New-SecureAppCredential -VaultName -CertificateName, or give it again where the stored credential is used.";

        private SecureAppCredential? _credential;

        /// <summary>The credential to store.</summary>
        [Parameter(Position = 1, ValueFromPipeline = true)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>A refresh token of this authority dies with its use.</summary>
        [Parameter(ParameterSetName = KeyVault)]
        public SwitchParameter SingleUseRefreshToken { get; set; }

        /// <summary>Writes the credential on.</summary>
        [Parameter]
        public SwitchParameter PassThru { get; set; }

        protected override void ProcessRecord()
        {
            CheckPlace();
            _credential = ResolveCredential(Credential);
            if (_credential.HasCertificate && !_credential.HasSecret && !_credential.HasRefreshToken)
            {
                FailInput("The credential has nothing but a certificate, which is not stored.", WithoutCertificate, null);
            }

            SecureAppCredential? access = IsKeyVault && VaultCredential is not null ? VaultAccess() : null;
            string where = (IsKeyVault ? VaultName : SecretManagementVault) + "/" + Name;
            if (!ShouldProcess(where, "Store credential of application " + _credential.ApplicationId))
            {
                return;
            }

            if (_credential.HasCertificate)
            {
                WriteWarning("The certificate is not stored with the credential. " + WithoutCertificate);
            }

            using RequestBuilder request = PlaceRequest("credential_save", access)
                .Credential("credential", _credential)
                .Flag("singleUse", SingleUseRefreshToken);
            Run(request);
        }

        internal override void OnRecord(ValueMap record)
        {
            if (record.Get("document") is byte[] document)
            {
                SecureString text = Utf8.TakeSecret(document);
                HostStore.Write(record.Int("id"), () => SecretManagement.Write(this, SecretManagementVault!.Trim(), Name!.Trim(), text), failure => Fail(failure, new ObjectName(Name)));
            }

            if (PassThru)
            {
                WriteObject(_credential);
            }
        }
    }
}
