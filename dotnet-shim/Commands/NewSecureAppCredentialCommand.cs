using System;
using System.Management.Automation;
using System.Security;

namespace SecureAppModel.Commands
{
    /// <summary>Makes a credential from an application id with a secret, a refresh token, or both.</summary>
    [Cmdlet(VerbsCommon.New, "SecureAppCredential")]
    [OutputType(typeof(SecureAppCredential))]
    public sealed class NewSecureAppCredentialCommand : SecureAppCmdlet
    {
        [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
        [Alias("ClientId", "AppId")]
        public string? ApplicationId { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        [Alias("ClientSecret")]
        [SecretTransformation]
        public SecureString? Secret { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        [SecretTransformation]
        public SecureString? RefreshToken { get; set; }

        /// <summary>The application id as user name and the client secret as password.</summary>
        [Parameter]
        [ApplicationCredentialTransformation]
        public PSCredential? Credential { get; set; }

        [Parameter]
        public string? RefreshTokenPath { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant", "CustomerId", "CustomerContextId")]
        public string? TenantId { get; set; }

        [Parameter]
        [Alias("AccountId")]
        public string? Account { get; set; }

        [Parameter]
        public DateTimeOffset? AcquiredOn { get; set; }

        protected override void ProcessRecord()
        {
            string? applicationId = Credential?.UserName ?? ApplicationId;
            SecureString? secret = NotEmpty(Credential?.Password) ?? NotEmpty(Secret);
            SecureString? refreshToken = NotEmpty(RefreshToken);
            if (Credential is not null && (ApplicationId is not null || Secret is not null))
            {
                FailInput(
                    "-Credential already holds the application id and the secret.",
                    "Leave out -ApplicationId and -Secret, or -Credential.",
                    null);
            }

            if (RefreshTokenPath is not null)
            {
                if (refreshToken is not null)
                {
                    FailInput("-RefreshToken and -RefreshTokenPath exclude each other.", "Use one of them.", null);
                }

                refreshToken = Guarded(() => RefreshTokenFile.Read(GetUnresolvedProviderPathFromPSPath(RefreshTokenPath)), RefreshTokenPath);
            }

            if (string.IsNullOrWhiteSpace(applicationId))
            {
                FailInput("No application id was given.", "Use -ApplicationId with the application (client) id from the app registration.", null);
            }

            if (secret is null && refreshToken is null)
            {
                FailInput(
                    "Neither a secret nor a refresh token was given for application " + applicationId + ".",
                    "Use -Secret, -RefreshToken or both; a variable that is empty counts as not given.",
                    applicationId);
            }

            if (TenantId is { Length: > 0 } tenant && TenantInput.Refusal(tenant) is SecureAppException refusal)
            {
                Fail(refusal, tenant);
            }

            string? home = string.IsNullOrWhiteSpace(TenantId) ? null : TenantId!.Trim();
            WriteObject(Guarded(
                () => CredentialInput.Open(applicationId!.Trim(), secret, refreshToken, home, Account, AcquiredOn), applicationId));
        }

        private static SecureString? NotEmpty(SecureString? secret) => secret is { Length: > 0 } ? secret : null;
    }
}
