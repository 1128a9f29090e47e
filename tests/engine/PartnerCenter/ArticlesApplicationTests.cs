using System.Collections;
using System.Management.Automation;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Connect;
using SecureAppModel.EngineTests.Gcits;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;
using SecureAppModel.EngineTests.SignIn;

namespace SecureAppModel.EngineTests.PartnerCenter;

/// <summary>
/// The application that the articles register, with either of their sets of reply URLs: it consents, gets tokens and
/// connects, and what its permissions are not enough for is named with the permission to add.
/// </summary>
[Collection(nameof(BrowserVariable))]
public sealed partial class ArticlesApplicationTests
{
    private const string Oob = "urn:ietf:wg:oauth:2.0:oob";

    /// <summary>The PartnerCenter module's command, version 3.</summary>
    private const string ConnectPartnerCenter =
        """
        function Connect-PartnerCenter {
            [CmdletBinding(DefaultParameterSetName = 'User')] param(
                [Parameter(ParameterSetName = 'AccessToken', Mandatory)] [string] $AccessToken,
                [Parameter(ParameterSetName = 'RefreshToken', Mandatory)] [Parameter(ParameterSetName = 'ServicePrincipalCertificate', Mandatory)] [string] $ApplicationId,
                [Parameter(ParameterSetName = 'RefreshToken')] [Parameter(ParameterSetName = 'ServicePrincipalCertificate', Mandatory)] [string] $CertificateThumbprint,
                [Parameter(ParameterSetName = 'RefreshToken')] [Parameter(ParameterSetName = 'ServicePrincipal', Mandatory)] [pscredential] $Credential,
                [ValidateSet('AzureCloud', 'AzureChinaCloud', 'AzureGermanCloud', 'AzurePPE', 'AzureUSGovernment')] [string] $Environment,
                [Parameter(ParameterSetName = 'RefreshToken', Mandatory)] [string] $RefreshToken,
                [Parameter(ParameterSetName = 'ServicePrincipal', Mandatory)] [Parameter(ParameterSetName = 'ServicePrincipalCertificate')] [switch] $ServicePrincipal,
                [Parameter(ParameterSetName = 'User')] [Parameter(ParameterSetName = 'ServicePrincipal', Mandatory)]
                [Parameter(ParameterSetName = 'ServicePrincipalCertificate', Mandatory)] [Alias('Domain', 'TenantId')] [string] $Tenant,
                [Parameter(ParameterSetName = 'User')] [Alias('Device', 'DeviceAuth', 'DeviceCode')] [switch] $UseDeviceAuthentication)
            $global:connected = $PSBoundParameters
        }

        """;

    [Theory]
    [InlineData("articles")]
    [InlineData("articles-oob")]
    public void It_consents_gets_tokens_and_connects(string preset)
    {
        using Sandbox sandbox = Start(preset);
        using Engine engine = SignedIn(sandbox);

        foreach (string tenant in new[] { sandbox.Facts.PartnerTenantId, sandbox.Facts.Tenants[0].TenantId })
        {
            foreach (string api in new[] { "https://graph.windows.net", "https://graph.microsoft.com", "https://api.partnercenter.microsoft.com" })
            {
                Outcome tokens = engine.Run(
                    """
                    param($tenant, $api)
                    (Get-SecureAppAccessToken -TenantId $tenant -Resource $api).AccessToken
                    (Get-SecureAppAccessToken -TenantId $tenant -Scope "$api/.default").AccessToken
                    Get-GCITSAccessTokenByResource -AppCredential $signedIn -tenantid $tenant -Resource $api
                    """,
                    tenant,
                    api).Succeeded();
                Assert.Equal(3, tokens.Output.Count);
                Assert.All(tokens.Output, token => Jwt.ForAudience(api, tenant, token));
            }
        }

        Outcome connected = engine.Run(
            ConnectStubs.MgGraph + ConnectStubs.Msol + ConnectStubs.AzureAD + ConnectPartnerCenter +
            "Connect-DelegatedTenant -TenantId $customer -Service Graph, MSOnline, AzureAD, PartnerCenter -WarningAction Ignore").Succeeded();
        Assert.Equal(["Graph", "MSOnline", "AzureAD", "PartnerCenter"], connected.Output.Select(item => item.Properties["Service"].Value));
    }

    [Theory]
    [InlineData("articles")]
    [InlineData("articles-oob")]
    public void What_it_lacks_is_named_with_the_permission_to_add(string preset)
    {
        using Sandbox sandbox = Start(preset);
        using Engine engine = SignedIn(sandbox);
        string folder = Directory.CreateTempSubdirectory("secureapp-articles-").FullName;
        try
        {
            Outcome customers = engine.Run("Get-DelegatedTenant").Succeeded();
            Assert.Equal(sandbox.Facts.Tenants.Select(tenant => tenant.TenantId).Order(), customers.Output.Select(item => (string)item.Properties["TenantId"].Value).Order());
            Assert.Contains(customers.Warnings, warning => warning.Contains("contracts") && warning.Contains("takes the Microsoft Graph permission Directory.Read.All"));
            Assert.Contains(customers.Warnings, warning => warning.Contains("delegatedAdminCustomers") && warning.Contains("takes the Microsoft Graph permission DelegatedAdminRelationship.Read.All"));

            Outcome delegated = engine.Run("param($folder) Export-SecureAppAuditLog -TenantId $customer -Path $folder", folder);
            Lacks("AADSTS65001", "the permission ActivityFeed.Read of Office 365 Management APIs", Assert.Single(delegated.Errors));
            Outcome appOnly = engine.Run("param($folder) Export-SecureAppAuditLog -TenantId $customer -Path $folder -AppOnly", folder);
            Lacks("AF10001", "the permission ActivityFeed.Read of Office 365 Management APIs", Assert.Single(appOnly.Errors));

            Outcome exchange = engine.Run(ConnectStubs.ExchangeOnline + "Connect-DelegatedTenant -TenantId $customer -Service ExchangeOnline");
            Lacks("AADSTS65001", "the permission Exchange.Manage of Office 365 Exchange Online", Assert.Single(exchange.Errors));

            PSObject[] rows = [.. engine.Run("Test-SecureAppCredential").Succeeded().Output];
            Assert.Equal(["Credential", "RefreshToken"], rows.Where(row => Is(row, "Result", "Pass")).Select(row => row.Properties["Check"].Value).Intersect(["Credential", "RefreshToken"]));
            string?[] had = [.. rows.Where(row => Is(row, "Check", "Token") && Is(row, "Result", "Pass")).Select(row => (string?)row.Properties["Target"].Value)];
            Assert.Contains("https://graph.microsoft.com", had);
            Assert.Contains("https://api.partnercenter.microsoft.com", had);
            PSObject feed = Assert.Single(rows, row => Is(row, "Check", "Token") && Is(row, "Target", "https://manage.office.com"));
            Assert.Equal("Fail", feed.Properties["Result"].Value);
            Assert.Contains("the permission ActivityFeed.Read of Office 365 Management APIs", (string)feed.Properties["Remedy"].Value);
            PSObject mail = Assert.Single(rows, row => Is(row, "Check", "Token") && Is(row, "Target", "https://outlook.office365.com"));
            Assert.Contains("the permission Exchange.Manage of Office 365 Exchange Online", (string)mail.Properties["Remedy"].Value);
            PSObject secret = Assert.Single(rows, row => Is(row, "Check", "Secret") && Is(row, "Result", "Skipped"));
            Assert.Contains("the Microsoft Graph permission Application.Read.All", (string)secret.Properties["Remedy"].Value);
            Assert.All(rows.Where(row => Is(row, "Check", "Mfa") || Is(row, "Check", "PartnerCenterMfa")), row => Assert.True(Is(row, "Result", "Pass")));

            // As itself it gets tokens in a customer, and the services say what is not in them.
            rows = [.. engine.Run("Test-SecureAppCredential -TenantId $customer -AppOnly").Succeeded().Output];
            Assert.Single(rows, row => Is(row, "Check", "Consent") && Is(row, "Result", "Pass"));
            foreach ((string check, string permission) in new[] { ("ActivityFeed", "ActivityFeed.Read"), ("ExchangeRole", "Exchange.ManageAsApp") })
            {
                PSObject row = Assert.Single(rows, row => Is(row, "Check", check) && Is(row, "Result", "Fail"));
                Assert.Contains(permission, (string)row.Properties["Remedy"].Value);
            }
        }
        finally
        {
            Recorder.HearAndDelete(folder);
        }
    }

    /// <summary>The first article's script, with its first refresh token by the compatible command.</summary>
    [Fact]
    public void The_first_articles_script_goes_from_consent_to_MSOnline()
    {
        using Sandbox sandbox = Start("articles-oob");
        using Engine engine = PartnerModule.Open(sandbox);
        Paste(engine, sandbox);

        engine.Run(
            ConnectStubs.Msol +
            """
            $client_id = $sandbox.ApplicationId
            $tenant_id = $sandbox.PartnerTenantId
            $secpasswd = ConvertTo-Secret $sandbox.Secret
            $mycreds = [System.Management.Automation.PSCredential]::new($client_id, $secpasswd)
            $env:BROWSER = 'true'

            $token = New-PartnerAccessToken -Consent -Credential $mycreds -Resource https://api.partnercenter.microsoft.com -TenantId $tenant_id
            $refreshToken = $token.RefreshToken
            [System.IO.File]::WriteAllText($file, $refreshToken)

            $env:BROWSER = $null
            $refreshToken = [System.IO.File]::ReadAllText($file)
            [System.IO.File]::Delete($file)
            $AppCredential = @{
                appId        = $client_id
                secret       = $sandbox.Secret
                refreshToken = $refreshToken
            }
            $MSGraphToken = Get-GCITSAccessTokenByResource -Resource "https://graph.microsoft.com" -tenantid $tenant_id -AppCredential $AppCredential
            $AadGraphToken = Get-GCITSAccessTokenByResource -Resource "https://graph.windows.net" -tenantid $tenant_id -AppCredential $AppCredential
            Connect-MsolService -MsGraphAccessToken $MSGraphToken -AdGraphAccessToken $AadGraphToken
            """).Succeeded();

        IDictionary got = Dictionary(engine, "got");
        Jwt.ForAudience("https://graph.microsoft.com", sandbox.Facts.PartnerTenantId, got["MsGraphAccessToken"]);
        Jwt.ForAudience("https://graph.windows.net", sandbox.Facts.PartnerTenantId, got["AdGraphAccessToken"]);
    }

    /// <summary>The second article's, with Connect-PartnerCenter as its version 1 was and as its last version is.</summary>
    [Theory]
    [InlineData("articles", ConnectStubs.PartnerCenterVersion1, "-AccessTokenExpiresOn $pcToken.ExpiresOn -ApplicationId $appId", "got")]
    [InlineData("articles-oob", ConnectPartnerCenter, "", "connected")]
    public void The_second_articles_script_goes_from_consent_to_Partner_Center(string preset, string stub, string more, string variable)
    {
        using Sandbox sandbox = Start(preset);
        using Engine engine = PartnerModule.Open(sandbox);
        Paste(engine, sandbox);
        RunningScript running = engine.Start(
            stub +
            $$"""
            $appId = $sandbox.ApplicationId
            $credential = $appCredential
            $env:BROWSER = 'true'

            $token = New-PartnerAccessToken -Consent -Credential $credential -Resource https://api.partnercenter.microsoft.com -ServicePrincipal
            $refreshToken = $token.RefreshToken

            $env:BROWSER = $null
            $pcToken = New-PartnerAccessToken -RefreshToken $refreshToken -Resource https://api.partnercenter.microsoft.com -Credential $credential -ServicePrincipal
            Connect-PartnerCenter -AccessToken $pcToken.AccessToken {{more}}
            """);
        if (preset == "articles")
        {
            User.Carry(sandbox.SignIn(new { url = engine.AddressOnScreen() }));
        }

        running.Wait().Succeeded();
        Jwt.ForAudience("https://api.partnercenter.microsoft.com", sandbox.Facts.PartnerTenantId, Dictionary(engine, variable)["AccessToken"]);

        engine.Run(
            ConnectStubs.Msol +
            """
            $aadGraphToken = New-PartnerAccessToken -RefreshToken $refreshToken -Resource https://graph.windows.net -Credential $credential -ServicePrincipal
            $graphToken =  New-PartnerAccessToken -RefreshToken $refreshToken -Resource https://graph.microsoft.com -Credential $credential -ServicePrincipal
            Connect-MsolService -AdGraphAccessToken $aadGraphToken.AccessToken -MsGraphAccessToken $graphToken.AccessToken
            """).Succeeded();
        Jwt.ForAudience("https://graph.windows.net", sandbox.Facts.PartnerTenantId, Dictionary(engine, "got")["AdGraphAccessToken"]);
        Jwt.ForAudience("https://graph.microsoft.com", sandbox.Facts.PartnerTenantId, Dictionary(engine, "got")["MsGraphAccessToken"]);
    }

    private static Sandbox Start(string preset) => Sandbox.Start("--tenants", "2", "--records", "20", "--preset", preset);

    /// <summary>A session whose default credential is what the first sign-in gave, by the reply URL that both sets have.</summary>
    private static Engine SignedIn(Sandbox sandbox)
    {
        Engine engine = Engine.Open().Join(sandbox).WithApplication();
        Paste(engine, sandbox);
        engine.Run(
            "param($uri) $global:signedIn = New-SecureAppRefreshToken $application -TenantId $sandbox.PartnerTenantId -NoBrowser -RedirectUri $uri; Set-SecureAppDefault -Credential $signedIn", Oob).Succeeded();
        return engine;
    }

    private static void Paste(Engine engine, Sandbox sandbox)
    {
        engine.Set("file", Path.Combine(Path.GetTempPath(), "secureapp-" + Guid.NewGuid().ToString("n")));
        engine.AnswerPrompts(screen => sandbox.SignIn(new { url = Address().Match(screen).Value })["location"]!.GetValue<string>());
    }

    private static void Lacks(string code, string permission, ErrorRecord error)
    {
        Assert.Contains(code, error.ErrorDetails.Message);
        Assert.Contains(permission, error.ErrorDetails.RecommendedAction);
    }

    private static bool Is(PSObject row, string property, string value) => row.Properties[property].Value?.ToString() == value;

    private static IDictionary Dictionary(Engine engine, string variable) =>
        Assert.IsAssignableFrom<IDictionary>(engine.Get(variable) is PSObject got ? got.BaseObject : engine.Get(variable));

    [GeneratedRegex(@"https://localhost:\d+/\S*authorize\?\S+")]
    private static partial Regex Address();
}
