using System.Security;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>What New-SecureAppCredential was given of identities that take no secret of the application's own.</summary>
    internal sealed class IdentityInput
    {
        internal bool ManagedIdentity { get; set; }

        internal bool FederatedManagedIdentity { get; set; }

        internal bool WorkloadIdentity { get; set; }

        internal string? FederatedTokenFile { get; set; }

        internal string? ClientId { get; set; }

        internal string? ObjectId { get; set; }

        internal string? ResourceId { get; set; }

        internal string? ApplicationId { get; set; }

        internal string? TenantId { get; set; }

        internal string? Account { get; set; }

        internal SecureString? RefreshToken { get; set; }

        internal System.DateTimeOffset? AcquiredOn { get; set; }

        /// <exception cref="SecureAppException">It cannot be used; the message says why.</exception>
        internal SecureAppCredential Open()
        {
            if (ManagedIdentity && ApplicationId is not null)
            {
                throw ErrorRecords.Refusal(
                    "A managed identity is not an application of your own, so -ApplicationId does not belong to it.",
                    "Name the identity with -ManagedIdentityClientId, or use -FederatedManagedIdentity to let it prove the application.");
            }

            if (ManagedIdentity && RefreshToken is not null)
            {
                throw ErrorRecords.Refusal(
                    "A managed identity acts for itself and not for a user, so a refresh token does not belong to it.",
                    "Leave it out, or use -FederatedManagedIdentity with the application that the refresh token was issued to.");
            }

            bool fromVariables = WorkloadIdentity && HostVariables.Read("AZURE_CLIENT_ID") is not null;
            if (ApplicationId is null && !ManagedIdentity && !fromVariables)
            {
                throw ErrorRecords.Refusal("No application id was given.", "Use -ApplicationId with the application (client) id from the app registration.");
            }

            using SecureString variables = HostVariables.Lines();
            using RequestBuilder request = new RequestBuilder("credential")
                .Text("applicationId", ApplicationId)
                .Text("tenant", TenantId)
                .Text("account", ManagedIdentity ? null : Account)
                .Secret("refreshToken", RefreshToken)
                .Time("acquiredOn", ManagedIdentity ? null : AcquiredOn)
                .Flag("managedIdentity", ManagedIdentity)
                .Flag("federatedManagedIdentity", FederatedManagedIdentity)
                .Flag("workloadIdentity", WorkloadIdentity)
                .Text("federatedTokenFile", FederatedTokenFile)
                .Text("managedIdentityClientId", ClientId)
                .Text("managedIdentityObjectId", ObjectId)
                .Text("managedIdentityResourceId", ResourceId)
                .Secret("variables", variables);
            return new SecureAppCredential(Native.OpenCredential(request));
        }
    }
}
