using System.Management.Automation;
using System.Security;

namespace SecureAppModel.Commands
{
    /// <content>Identities that somebody else proves: managed identities and federated tokens.</content>
    public sealed partial class NewSecureAppCredentialCommand
    {
        private const string ApplicationSet = "Application";
        private const string ManagedIdentitySet = "ManagedIdentity";
        private const string FederatedManagedIdentitySet = "FederatedManagedIdentity";
        private const string FederatedTokenFileSet = "FederatedTokenFile";
        private const string WorkloadIdentitySet = "WorkloadIdentity";

        /// <summary>The credential is an identity of this machine.</summary>
        [Parameter(Mandatory = true, ParameterSetName = ManagedIdentitySet)]
        public SwitchParameter ManagedIdentity { get; set; }

        /// <summary>An identity of this machine proves the application.</summary>
        [Parameter(Mandatory = true, ParameterSetName = FederatedManagedIdentitySet)]
        public SwitchParameter FederatedManagedIdentity { get; set; }

        [Parameter(ParameterSetName = ManagedIdentitySet)]
        [Parameter(ParameterSetName = FederatedManagedIdentitySet)]
        public string? ManagedIdentityClientId { get; set; }

        [Parameter(ParameterSetName = ManagedIdentitySet)]
        [Parameter(ParameterSetName = FederatedManagedIdentitySet)]
        public string? ManagedIdentityObjectId { get; set; }

        [Parameter(ParameterSetName = ManagedIdentitySet)]
        [Parameter(ParameterSetName = FederatedManagedIdentitySet)]
        public string? ManagedIdentityResourceId { get; set; }

        /// <summary>A file whose token proves the application.</summary>
        [Parameter(Mandatory = true, ParameterSetName = FederatedTokenFileSet)]
        [ValidateNotNullOrEmpty]
        public string? FederatedTokenFile { get; set; }

        /// <summary>What the platform's environment variables say.</summary>
        [Parameter(Mandatory = true, ParameterSetName = WorkloadIdentitySet)]
        public SwitchParameter WorkloadIdentity { get; set; }

        private SecureAppCredential OpenIdentity(string? applicationId, SecureString? refreshToken, string? home)
        {
            if (!ManagedIdentity && !FederatedManagedIdentity && !WorkloadIdentity && FederatedTokenFile is null)
            {
                throw ErrorRecords.Refusal("-" + ParameterSetName + " is switched off.", "Leave ':$false' out, or use another kind of credential.");
            }

            return new IdentityInput
            {
                ManagedIdentity = ManagedIdentity,
                FederatedManagedIdentity = FederatedManagedIdentity,
                WorkloadIdentity = WorkloadIdentity,
                FederatedTokenFile = FederatedTokenFile is null ? null : GetUnresolvedProviderPathFromPSPath(FederatedTokenFile),
                ClientId = ManagedIdentityClientId,
                ObjectId = ManagedIdentityObjectId,
                ResourceId = ManagedIdentityResourceId,
                ApplicationId = string.IsNullOrWhiteSpace(applicationId) ? null : applicationId!.Trim(),
                TenantId = home,
                Account = Account,
                RefreshToken = refreshToken,
                AcquiredOn = AcquiredOn,
            }.Open();
        }
    }
}
