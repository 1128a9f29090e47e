using System;
using System.Management.Automation;
using System.Security;
using SecureAppModel.Certificates;

namespace SecureAppModel.Commands
{
    /// <summary>Makes a credential of an application with what proves it, of a user, or of a machine.</summary>
    [Cmdlet(VerbsCommon.New, "SecureAppCredential", DefaultParameterSetName = ApplicationSet)]
    [OutputType(typeof(SecureAppCredential))]
    public sealed partial class NewSecureAppCredentialCommand : OperationCmdlet
    {
        private SecureString? _fromFile;

        [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
        [Alias("ClientId", "AppId")]
        public string? ApplicationId { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ApplicationSet)]
        [Alias("ClientSecret")]
        [SecretTransformation]
        public SecureString? Secret { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        [SecretTransformation]
        public SecureString? RefreshToken { get; set; }

        /// <summary>The application id as user name and the client secret as password.</summary>
        [Parameter(ParameterSetName = ApplicationSet)]
        [ApplicationCredentialTransformation]
        public PSCredential? Credential { get; set; }

        [Parameter]
        public string? RefreshTokenPath { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        [TenantTransformation(One = true)]
        public string? TenantId { get; set; }

        [Parameter]
        [Alias("AccountId")]
        public string? Account { get; set; }

        [Parameter]
        public DateTimeOffset? AcquiredOn { get; set; }

        protected override void BeginProcessing()
        {
            // What the command line says holds for every row: where it is wrong, the command ends.
            if (RefreshTokenPath is not null)
            {
                if (string.IsNullOrWhiteSpace(RefreshTokenPath))
                {
                    FailInput("-RefreshTokenPath is empty.", "Check that the variable it comes from has a value in this session, or leave it out.", null);
                }

                _fromFile = Guarded(() => RefreshTokenFile.Read(GetUnresolvedProviderPathFromPSPath(RefreshTokenPath)), new FilePath(RefreshTokenPath));
            }

            Check(AccountInput.Refusal(Account), Account);
        }

        protected override void ProcessRecord()
        {
            string? applicationId = Credential?.UserName ?? ApplicationId;
            Each(
                () =>
                {
                    if (ParameterSetName == KeyVaultSet)
                    {
                        OpenFromVault(applicationId);
                        return;
                    }

                    Write(Open(applicationId));
                },
                applicationId);
        }

        private void Write(SecureAppCredential credential)
        {
            Warn(credential);
            WriteObject(credential);
        }

        private SecureAppCredential Open(string? applicationId)
        {
            SecureString? secret = NotEmpty(Credential?.Password) ?? NotEmpty(Secret);
            SecureString? refreshToken = RefreshTokenGiven();
            if (Credential is not null && (ApplicationId is not null || Secret is not null))
            {
                throw ErrorRecords.Refusal(
                    "-Credential already holds the application id and the secret.",
                    "Leave out -ApplicationId and -Secret, or -Credential.");
            }

            string? home = HomeGiven();
            if (ParameterSetName != ApplicationSet)
            {
                return OpenIdentity(applicationId, refreshToken, home);
            }

            if (string.IsNullOrWhiteSpace(applicationId))
            {
                throw NoApplication();
            }

            CertificateParts certificate = CertificateGiven();
            if (secret is null && refreshToken is null && certificate.IsEmpty)
            {
                throw certificate.Refusal() ?? ErrorRecords.Refusal(
                    "Neither a secret, a certificate nor a refresh token was given for application " + Shown.Identifier(applicationId) + ".",
                    "Use -Secret or a certificate, -RefreshToken, or both; a variable that is empty counts as not given.");
            }

            SecureAppCredential credential = CredentialInput.Open(applicationId!.Trim(), secret, refreshToken, home, Account, AcquiredOn, certificate);
            if (secret is null && IsGiven(nameof(Secret)))
            {
                WriteWarning("The secret given for application " + credential.ApplicationId + " is empty, so the credential has none: only a public client is accepted without.");
            }

            return credential;
        }

        private static SecureAppException NoApplication() =>
            ErrorRecords.Refusal("No application id was given.", "Use -ApplicationId with the application (client) id from the app registration.");

        private SecureString? RefreshTokenGiven()
        {
            SecureString? refreshToken = NotEmpty(RefreshToken);
            return _fromFile is not null && refreshToken is not null
                ? throw ErrorRecords.Refusal("-RefreshToken and -RefreshTokenPath exclude each other.", "Use one of them.")
                : refreshToken ?? _fromFile;
        }

        private string? HomeGiven() => string.IsNullOrWhiteSpace(TenantId) ? null : TenantId!.Trim();

        private static SecureString? NotEmpty(SecureString? secret) => secret is { Length: > 0 } ? secret : null;
    }
}
