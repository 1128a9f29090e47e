using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>
    /// A running sandbox: a local stand-in for Microsoft's cloud with a made-up partner and its customers. Its secrets are
    /// made up as well, which is why they can be read here.
    /// </summary>
    public sealed class SecureAppSandbox
    {
        internal SecureAppSandbox(ValueMap facts, string environment, int processId)
        {
            Environment = environment;
            Endpoints = new SandboxEndpoints(facts.Map("endpoints") ?? ValueMap.Empty);
            CertificatePath = facts.Text("certificatePath");
            PartnerTenantId = facts.Text("partnerTenantId");
            ApplicationId = facts.Text("applicationId");
            Secret = facts.Text("secret");
            RefreshToken = facts.Text("refreshToken");
            UserPrincipalName = facts.OptionalText("userPrincipalName");
            CertificatePfxPath = facts.Text("certificatePfxPath");
            CertificatePfxPassword = facts.Text("certificatePfxPassword");
            Users = facts.Maps("users").Select(user => new SandboxUser(user)).ToArray();
            RedirectUris = facts.Texts("redirectUris");
            Tenants = facts.Maps("tenants").Select(tenant => new SandboxTenant(tenant)).ToArray();
            ProcessId = processId;
        }

        /// <summary>The name to pass on as -Environment, or to Set-SecureAppDefault.</summary>
        public string Environment { get; }

        public SandboxEndpoints Endpoints { get; }

        /// <summary>The sandbox's own certificate authority, a PEM file.</summary>
        public string CertificatePath { get; }

        public string PartnerTenantId { get; }

        public string ApplicationId { get; }

        public string Secret { get; }

        public string RefreshToken { get; }

        /// <summary>A PFX file with a certificate of the application and its key; gone when the sandbox ends.</summary>
        public string CertificatePfxPath { get; }

        /// <summary>What that file is encrypted with.</summary>
        public string CertificatePfxPassword { get; }

        /// <summary>The partner's user behind the refresh token.</summary>
        public string? UserPrincipalName { get; }

        /// <summary>Ready to use: the application with its secret and the user's refresh token. None with the preset empty.</summary>
        public SecureAppCredential? Credential { get; internal set; }

        /// <summary>The same with the application's certificate in place of its secret.</summary>
        public SecureAppCredential? CertificateCredential { get; internal set; }

        /// <summary>The same application with the refresh token of the second partner's user, where there is one.</summary>
        public SecureAppCredential? SecondCredential { get; internal set; }

        /// <summary>Who can sign in at the sandbox's pages: the partner's administrator first.</summary>
        public SandboxUser[] Users { get; }

        /// <summary>The reply URLs that the application has registered.</summary>
        public string[] RedirectUris { get; }

        public SandboxTenant[] Tenants { get; }

        public int ProcessId { get; }

        public override string ToString() => Environment;
    }

    /// <summary>Where a sandbox's services listen.</summary>
    public sealed class SandboxEndpoints
    {
        internal SandboxEndpoints(ValueMap endpoints)
        {
            Login = endpoints.Text("login");
            Graph = endpoints.Text("graph");
            PartnerCenter = endpoints.Text("partnerCenter");
            Manage = endpoints.Text("manage");
            AadGraph = endpoints.Text("aadGraph");
            Outlook = endpoints.Text("outlook");
            KeyVault = endpoints.Text("keyVault");
        }

        public string Login { get; }

        public string Graph { get; }

        public string PartnerCenter { get; }

        public string Manage { get; }

        public string AadGraph { get; }

        public string Outlook { get; }

        /// <summary>The partner's one vault; every vault name means it.</summary>
        public string KeyVault { get; }

        public override string ToString() => Login;
    }

    /// <summary>Somebody who can sign in at a sandbox's pages.</summary>
    public sealed class SandboxUser
    {
        internal SandboxUser(ValueMap user)
        {
            UserPrincipalName = user.Text("userPrincipalName");
            Password = user.Text("password");
            TenantId = user.Text("tenantId");
            Mfa = user.Flag("mfa");
            Administrator = user.Flag("administrator");
        }

        public string UserPrincipalName { get; }

        public string Password { get; }

        public string TenantId { get; }

        /// <summary>Whether a second factor is approved; without one the password alone signs in.</summary>
        public bool Mfa { get; }

        /// <summary>Whether the user may consent for the organization.</summary>
        public bool Administrator { get; }

        public override string ToString() => UserPrincipalName;
    }

    /// <summary>One customer of a sandbox's partner.</summary>
    public sealed class SandboxTenant
    {
        internal SandboxTenant(ValueMap tenant)
        {
            TenantId = tenant.Text("tenantId");
            DefaultDomainName = tenant.Text("defaultDomainName");
            DisplayName = tenant.Text("displayName");
            AuditRecordCount = tenant.Int("auditRecordCount");
        }

        public string TenantId { get; }

        public string DefaultDomainName { get; }

        public string DisplayName { get; }

        public long AuditRecordCount { get; }

        public override string ToString() => TenantId;
    }
}
