using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.PartnerCenter;

/// <summary>The command's metadata beside the PartnerCenter module's own, and which of its sets a script's line means.</summary>
public sealed class PartnerParameterTests : IDisposable
{
    /// <summary>
    /// PartnerCenter 3.0.10: name, type, aliases, sets; a set in which it is mandatory ends in an exclamation mark. Its two
    /// enumerations are texts here: their names are accepted, and a sandbox's name is too. <c>?</c> marks what it demanded
    /// and what a credential's user name says here.
    /// </summary>
    private const string Original = """
        AccessToken             String        -                                  AccessToken!
        ApplicationId           String        ClientId                           AccessToken! RefreshToken ServicePrincipal? ServicePrincipalCertificate! User!
        CertificateThumbprint   String        -                                  RefreshToken ServicePrincipalCertificate!
        Credential              PSCredential  -                                  AccessToken RefreshToken ServicePrincipal!
        Environment             String        EnvironmentName                    *
        Module                  String        ModuleName                         ByModule! RefreshToken
        RefreshToken            String        -                                  ByModule RefreshToken!
        Scopes                  String[]      -                                  AccessToken! RefreshToken! ServicePrincipal! ServicePrincipalCertificate! User!
        ServicePrincipal        SwitchParameter -                                RefreshToken ServicePrincipal! ServicePrincipalCertificate
        Tenant                  String        Domain,TenantId                    AccessToken ByModule RefreshToken ServicePrincipal! ServicePrincipalCertificate! User
        UseAuthorizationCode    SwitchParameter AuthCode                         ByModule ServicePrincipal ServicePrincipalCertificate User
        UseDeviceAuthentication SwitchParameter DeviceCode,DeviceAuth,Device     User
        """;

    private readonly Engine _engine = Engine.Open().WithPartnerCommand();

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Types_aliases_and_sets_are_those_of_version_3()
    {
        Dictionary<string, ParameterMetadata> parameters = Parameters();
        foreach (string[] row in Rows())
        {
            ParameterMetadata parameter = parameters[row[0]];
            Assert.Equal(row[1], parameter.ParameterType.Name);
            Assert.Equal(row[2].Replace("-", "").Split(',', StringSplitOptions.RemoveEmptyEntries), parameter.Aliases);
            string[] sets = [.. parameter.ParameterSets
                .Where(set => set.Key is not "Resource")
                .Select(set => set.Key == ParameterAttribute.AllParameterSets ? "*" : set.Key + (set.Value.IsMandatory ? "!" : ""))];
            Assert.Equal(row[3..].Select(set => set.TrimEnd('?')).Order(StringComparer.Ordinal), sets.Order(StringComparer.Ordinal));
            Assert.All(parameter.ParameterSets.Values, set => Assert.Equal(int.MinValue, set.Position));
        }
    }

    [Fact]
    public void Beside_them_are_version_1s_and_one_of_this_modules()
    {
        string[] original = [.. Rows().Select(row => row[0])];
        string[] more = [.. Parameters().Keys.Except(original).Except(Cmdlet.CommonParameters).Order(StringComparer.Ordinal)];

        Assert.Equal(["Consent", "Resource", "ResponseUrl"], more);
        Assert.Equal(
            ["ApplicationId", "Consent", "Credential", "Environment", "RefreshToken", "Resource", "ResponseUrl", "ServicePrincipal", "Tenant"],
            Command().ParameterSets.Single(set => set.Name == "Resource").Parameters.Select(parameter => parameter.Name).Except(Cmdlet.CommonParameters).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("-Consent -Credential $c -Resource https://api.partnercenter.microsoft.com -TenantId $t", "Resource")]
    [InlineData("-Consent -Credential $c -Resource https://api.partnercenter.microsoft.com -ServicePrincipal", "Resource")]
    [InlineData("-RefreshToken $r -Resource https://graph.windows.net -Credential $c -ServicePrincipal", "Resource")]
    [InlineData("-RefreshToken $r -Resource https://graph.microsoft.com -Credential $c -TenantId $t", "Resource")]
    [InlineData("-RefreshToken $r -Credential $c -Tenant $t", "Resource")]
    [InlineData("-Credential $c -Resource https://graph.windows.net -ServicePrincipal -TenantId $t -EnvironmentName GlobalCloud", "Resource")]
    [InlineData("-ApplicationId $a -Scopes $s -ServicePrincipal -Credential $c -Tenant $t -UseAuthorizationCode", "ServicePrincipal")]
    [InlineData("-ServicePrincipal -Credential $c -Scopes $s -Domain $t", "ServicePrincipal")]
    [InlineData("-ApplicationId $a -Credential $c -RefreshToken $r -Scopes $s -ServicePrincipal -Tenant $t", "RefreshToken")]
    [InlineData("-RefreshToken $r -Scopes $s -Tenant $t -ApplicationId $a", "RefreshToken")]
    [InlineData("-ClientId $a -CertificateThumbprint x -RefreshToken $r -Scopes $s", "RefreshToken")]
    [InlineData("-Module ExchangeOnline -ApplicationId $a -RefreshToken $r -Scopes $s -Tenant $t", "RefreshToken")]
    [InlineData("-ApplicationId $a -CertificateThumbprint x -Tenant $t -Scopes $s -ServicePrincipal", "ServicePrincipalCertificate")]
    [InlineData("-ApplicationId $a -CertificateThumbprint x -Tenant $t -Scopes $s -AuthCode", "ServicePrincipalCertificate")]
    [InlineData("-ApplicationId $a -Scopes $s", "User")]
    [InlineData("-ApplicationId $a -Scopes $s -Tenant $t -DeviceCode", "User")]
    [InlineData("-ApplicationId $a -Scopes $s -DeviceAuth", "User")]
    [InlineData("-ApplicationId $a -Scopes $s -Device -Environment AzureUSGovernment", "User")]
    [InlineData("-ModuleName ExchangeOnline", "ByModule")]
    [InlineData("-Module ExchangeOnline -RefreshToken $r -Tenant $t", "ByModule")]
    [InlineData("-AccessToken x -ApplicationId $a -Scopes $s -Tenant $t", "AccessToken")]
    public void A_line_means_the_set_that_it_meant(string arguments, string set)
    {
        // The same parameters, in a function that only says what was bound.
        Outcome outcome = _engine.Run(
            """
            param($arguments)
            $a = $t = '2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001'; $r = 'refresh'; $s = 'https://graph.windows.net/.default'
            $c = [pscredential]::new($a, [securestring]::new())
            $parameters = (Get-Command New-PartnerAccessToken).ScriptBlock.Ast.Body.ParamBlock
            ${function:Show-Set} = [scriptblock]::Create("$($parameters.Attributes) $parameters `$PSCmdlet.ParameterSetName")
            . ([scriptblock]::Create("Show-Set $arguments"))
            """,
            arguments).Succeeded();

        Assert.Equal(set, outcome.Single<string>());
    }

    private static IEnumerable<string[]> Rows() =>
        Original.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private CommandInfo Command() => _engine.Run("Get-Command New-PartnerAccessToken").Single<CommandInfo>();

    private Dictionary<string, ParameterMetadata> Parameters() => Command().Parameters;
}
