using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Gcits;

/// <summary>The articles' scripts after only deleting the function that they carried in their own text.</summary>
public sealed class GcitsArticleTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    private const string Stubs =
        """
        function Connect-MsolService([string] $AdGraphAccessToken, [string] $MsGraphAccessToken) {
            $global:msol = @{ AdGraph = $AdGraphAccessToken; MsGraph = $MsGraphAccessToken }
        }
        function Connect-AzureAD([string] $AadAccessToken, [string] $MsAccessToken, [string] $AccountId, [string] $TenantId) {
            $global:azureAD = @{ Aad = $AadAccessToken; Ms = $MsAccessToken; AccountId = $AccountId; TenantId = $TenantId }
        }
        """;

    private const string Values =
        """
        $client_id = $sandbox.ApplicationId
        $client_secret = $sandbox.Secret
        $refreshToken = $sandbox.RefreshToken
        $tenant_id = $customer
        """;

    private readonly Sandbox _sandbox = shared.Sandbox;

    [Fact]
    public void The_MSOnline_script_hands_two_bare_tokens_over()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        engine.Run(
            Stubs + Values +
            """

            $AppCredential = @{
                appId        = $client_id
                secret       = $client_secret
                refreshToken = $refreshToken
            }

            $MSGraphToken = Get-GCITSAccessTokenByResource -Resource "https://graph.microsoft.com" -tenantid $tenant_id -AppCredential $AppCredential
            $AadGraphToken = Get-GCITSAccessTokenByResource -Resource "https://graph.windows.net" -tenantid $tenant_id -AppCredential $AppCredential
            Connect-MsolService -MsGraphAccessToken $MSGraphToken -AdGraphAccessToken $AadGraphToken
            """).Succeeded();

        var handed = (System.Collections.Hashtable)engine.Get("msol")!;
        Jwt.ForAudience("https://graph.microsoft.com", _sandbox.Facts.Tenants[0].TenantId, handed["MsGraph"]);
        Jwt.ForAudience("https://graph.windows.net", _sandbox.Facts.Tenants[0].TenantId, handed["AdGraph"]);
    }

    [Fact]
    public void The_AzureAD_script_works_for_a_customer_too()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        engine.Run(
            Stubs + Values +
            """

            $delegatedAdmin = "admin@partner.example"
            $AppCredential = @{
                appId        = $client_id
                secret       = $client_secret
                refreshToken = $refreshToken
            }

            $MSGraphToken = Get-GCITSAccessTokenByResource -Resource "https://graph.microsoft.com" -tenantid $tenant_id -AppCredential $AppCredential
            $AadGraphToken = Get-GCITSAccessTokenByResource -Resource "https://graph.windows.net" -tenantid $tenant_id -AppCredential $AppCredential
            Connect-AzureAD -AadAccessToken $AadGraphToken -MsAccessToken $MSGraphToken -AccountId $delegatedAdmin -TenantId $tenant_id
            """).Succeeded();

        var handed = (System.Collections.Hashtable)engine.Get("azureAD")!;
        Jwt.ForAudience("https://graph.windows.net", _sandbox.Facts.Tenants[0].TenantId, handed["Aad"]);
        Assert.Equal("admin@partner.example", handed["AccountId"]);
        Assert.Equal(_sandbox.Facts.Tenants[0].TenantId, handed["TenantId"]);
    }

    [Fact]
    public void The_credential_is_never_written_to()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(
            Values +
            """

            $AppCredential = @{ appId = $client_id; secret = $client_secret; refreshToken = $refreshToken }
            $null = Get-GCITSAccessTokenByResource $AppCredential $tenant_id "https://graph.microsoft.com"
            $AppCredential.Count; $AppCredential.appId; $AppCredential.secret; $AppCredential.refreshToken
            """).Succeeded();

        Assert.Equal(
            [3, _sandbox.Facts.ApplicationId, _sandbox.Facts.Secret, _sandbox.Facts.RefreshToken],
            outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_pasted_copy_gives_the_same_kind_of_answer()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(
            Values +
            """

            $AppCredential = @{ appId = $client_id; secret = $client_secret; refreshToken = $refreshToken }
            $token = Get-GCITSAccessTokenByResource $AppCredential $tenant_id "https://graph.microsoft.com"
            $token.GetType().FullName
            """).Succeeded();

        Assert.Equal("System.String", outcome.Single<string>());
    }
}
