namespace SecureAppModel.EngineTests.Connect;

/// <summary>
/// The modules by their references: each Connect cmdlet's parameters with their names, types and sets, as far as tokens,
/// certificates and clouds go, at the first version that is documented to have them.
/// </summary>
internal static class ServiceModules
{
    private const string Certificate = "System.Security.Cryptography.X509Certificates.X509Certificate2";

    public static readonly ServiceModule MgGraph = new(
        "Microsoft.Graph.Authentication",
        "2.0.0",
        "Connect-MgGraph",
        new("Scopes", "string[]", "UserParameterSet"),
        new("AccessToken", "securestring", "AccessTokenParameterSet!"),
        new("ClientId", "string", "UserParameterSet AppCertificateParameterSet!"),
        new("CertificateThumbprint", "string", "AppCertificateParameterSet"),
        new("Certificate", Certificate, "AppCertificateParameterSet"),
        new("TenantId", "string", "UserParameterSet AppCertificateParameterSet"),
        new("Environment"),
        new("ClientTimeout", "double"),
        new("NoWelcome", "switch"))
    {
        DefaultSet = "UserParameterSet",
        Disconnect = "Disconnect-MgGraph",
    };

    public static readonly ServiceModule ExchangeOnline = new("ExchangeOnlineManagement", "3.1.0", "Connect-ExchangeOnline", [.. Exchange(token: true), new("ExchangeEnvironmentName", "ExchangeEnvironment")])
    {
        Types = "enum ExchangeEnvironment { O365Default; O365GermanyCloud; O365China; O365USGovGCCHigh; O365USGovDoD }",
        Disconnect = "Disconnect-ExchangeOnline",
    };

    public static readonly ServiceModule Compliance = new("ExchangeOnlineManagement", "3.8.0", "Connect-IPPSSession", Exchange(token: true)) { Disconnect = "Disconnect-ExchangeOnline" };

    public static readonly ServiceModule Az = new(
        "Az.Accounts",
        "2.12.1",
        "Connect-AzAccount",
        new("Environment") { Alias = "EnvironmentName" },
        new("Tenant", "string", "User AccessToken Certificate! CertificateFile!") { Alias = "TenantId" },
        new("AccessToken", "string", "AccessToken!"),
        new("AccountId", "string", "AccessToken!"),
        new("GraphAccessToken", "string", "AccessToken"),
        new("MicrosoftGraphAccessToken", "string", "AccessToken"),
        new("KeyVaultAccessToken", "string", "AccessToken"),
        new("SkipValidation", "switch", "AccessToken"),
        new("CertificateThumbprint", "string", "Certificate!"),
        new("CertificatePath", "string", "CertificateFile!"),
        new("CertificatePassword", "securestring", "CertificateFile"),
        new("ApplicationId", "string", "Certificate! CertificateFile!"),
        new("ServicePrincipal", "switch", "Certificate CertificateFile!"),
        new("Scope", "ContextModificationScope"))
    {
        Types = "enum ContextModificationScope { Process; CurrentUser }",
        DefaultSet = "User",
        Disconnect = "Disconnect-AzAccount",
        DisconnectParameters = "[ContextModificationScope] $Scope",
    };

    public static readonly ServiceModule PnP = new(
        "PnP.PowerShell",
        "2.2.0",
        "Connect-PnPOnline",
        new("Url"),
        new("AccessToken", "string", "AccessToken!"),
        new("ClientId", "string", "Interactive Thumbprint! CertificateFile!"),
        new("Tenant", "string", "Thumbprint! CertificateFile!"),
        new("Thumbprint", "string", "Thumbprint!"),
        new("CertificatePath", "string", "CertificateFile!"),
        new("CertificatePassword", "securestring", "CertificateFile"),
        new("AzureEnvironment", "AzureEnvironment"))
    {
        Types = "enum AzureEnvironment { Production; PPE; China; Germany; USGovernment; USGovernmentHigh; USGovernmentDoD; Custom }",
        DefaultSet = "Interactive",
        Disconnect = "Disconnect-PnPOnline",
    };

    public static readonly ServiceModule Teams = new(
        "MicrosoftTeams",
        "4.9.2",
        "Connect-MicrosoftTeams",
        new("TenantId", "string", "UserCredential ServicePrincipalCertificate! ServicePrincipalCertificateThumbprint! AccessTokens"),
        new("AccessTokens", "string[]", "AccessTokens!"),
        new("Certificate", Certificate, "ServicePrincipalCertificate!"),
        new("CertificateThumbprint", "string", "ServicePrincipalCertificateThumbprint!"),
        new("ApplicationId", "string", "ServicePrincipalCertificate! ServicePrincipalCertificateThumbprint!"),
        new("TeamsEnvironmentName", "string", "UserCredential"))
    {
        DefaultSet = "UserCredential",
        Disconnect = "Disconnect-MicrosoftTeams",
    };

    public static readonly ServiceModule MSOnline = new(
        "MSOnline", "1.1.183.66", "Connect-MsolService", new("Credential", "pscredential"), new("AdGraphAccessToken"), new("MsGraphAccessToken"), new("AzureEnvironment"));

    public static readonly ServiceModule AzureAD = new(
        "AzureAD",
        "2.0.2.140",
        "Connect-AzureAD",
        new("AzureEnvironmentName"),
        new("TenantId", "string", "UserCredential ServicePrincipalCertificate! AccessToken"),
        new("AadAccessToken", "string", "AccessToken!"),
        new("MsAccessToken", "string", "AccessToken"),
        new("AccountId", "string", "UserCredential AccessToken!"),
        new("CertificateThumbprint", "string", "ServicePrincipalCertificate!"),
        new("ApplicationId", "string", "ServicePrincipalCertificate!"))
    {
        DefaultSet = "UserCredential",
        Disconnect = "Disconnect-AzureAD",
    };

    public static readonly ServiceModule PartnerCenter = new(
        "PartnerCenter",
        "3.0.10",
        "Connect-PartnerCenter",
        new("AccessToken", "string", "AccessToken!"),
        new("ApplicationId", "string", "RefreshToken! ServicePrincipal"),
        new("RefreshToken", "string", "RefreshToken!"),
        new("Tenant", "string", "RefreshToken ServicePrincipal!") { Alias = "TenantId" })
    {
        DefaultSet = "AccessToken",
        Disconnect = "Disconnect-PartnerCenter",
    };

    public static readonly ServiceModule SharePoint = new(
        "Microsoft.Online.SharePoint.PowerShell",
        "16.0.25715.12000",
        "Connect-SPOService",
        new("Url", "UrlCmdletPipeBind", "AuthenticationCertificate! AuthenticationLocation! AuthenticationManagedIdentity!"),
        new("Credential", "pscredential", "AuthenticationLocation"),
        new("ModernAuth", "bool", "AuthenticationLocation"),
        new("ClientId", "string", "AuthenticationCertificate!"),
        new("TenantId", "string", "AuthenticationCertificate!"),
        new("Certificate", Certificate, "AuthenticationCertificate"),
        new("CertificatePath", "string", "AuthenticationCertificate"),
        new("CertificateThumbprint", "string", "AuthenticationCertificate"),
        new("CertificatePassword", "securestring", "AuthenticationCertificate"),
        new("ManagedIdentity", "switch", "AuthenticationManagedIdentity"))
    {
        Types = "class UrlCmdletPipeBind { [string] $Text; UrlCmdletPipeBind([string] $text) { $this.Text = $text } }",
        DefaultSet = "AuthenticationLocation",
        Disconnect = "Disconnect-SPOService",
    };

    /// <summary>A version of ExchangeOnlineManagement that takes no tokens.</summary>
    public static ServiceModule ExchangeWithoutTokens(string command, string version) => new("ExchangeOnlineManagement", version, command, Exchange(token: false));

    private static Declared[] Exchange(bool token)
    {
        Declared[] all =
        [
            new("ConnectionUri"), new("AzureADAuthorizationEndpointUri"), new("DelegatedOrganization"), new("AccessToken"), new("AppId"), new("Certificate", Certificate),
            new("CertificateFilePath"), new("CertificatePassword", "securestring"), new("CertificateThumbprint"), new("Organization"), new("UserPrincipalName"),
            new("ShowBanner", "switch"),
        ];
        return [.. all.Where(parameter => token || parameter.Name != "AccessToken")];
    }
}
