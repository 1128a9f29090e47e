namespace SecureAppModel.EngineTests.Sandboxing;

/// <summary>The line that the sandbox prints when it is ready. All of it is made up, the secrets too.</summary>
public sealed record SandboxFacts(
    string Environment,
    IReadOnlyDictionary<string, string> Endpoints,
    string CertificatePath,
    string PartnerTenantId,
    string ApplicationId,
    string Secret,
    string CertificatePfxPath,
    string CertificatePfxPassword,
    string RefreshToken,
    string? UserPrincipalName,
    IReadOnlyList<SandboxTenant> Tenants,
    IReadOnlyList<SandboxUser> Users,
    SandboxPartner? SecondPartner,
    int ProcessId);

/// <summary>Another partner, for which the same application works.</summary>
public sealed record SandboxPartner(string TenantId, string UserPrincipalName, string RefreshToken, IReadOnlyList<string> CustomerIds);

/// <summary>One customer of the sandbox's partner.</summary>
public sealed record SandboxTenant(string TenantId, string DefaultDomainName, string DisplayName, long AuditRecordCount);

/// <summary>Somebody who can sign in at the sandbox's pages.</summary>
public sealed record SandboxUser(string UserPrincipalName, string Password, string TenantId, bool Mfa, bool Administrator);

/// <summary>How many tokens the sandbox gave out for one question.</summary>
public sealed record TokenCount(string TenantId, string ApplicationId, string Grant, string Resource, int Count);
