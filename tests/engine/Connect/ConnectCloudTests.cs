using System.Collections;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Connect;

/// <summary>The services' cmdlets are told which national cloud it is; checked on the service table itself.</summary>
public sealed class ConnectCloudTests
{
    [Theory]
    [InlineData("Graph", ConnectStubs.MgGraph, "USGov", "Environment", "USGov")]
    [InlineData("Graph", ConnectStubs.MgGraph, "USGovDoD", "Environment", "USGovDoD")]
    [InlineData("Graph", ConnectStubs.MgGraph, "China", "Environment", "China")]
    [InlineData("Graph", ConnectStubs.MgGraph, "USGovGCC", "Environment", null)]
    [InlineData("Graph", ConnectStubs.MgGraph, "Public", "Environment", null)]
    [InlineData("ExchangeOnline", ConnectStubs.ExchangeOnline, "USGov", "ExchangeEnvironmentName", "O365USGovGCCHigh")]
    [InlineData("ExchangeOnline", ConnectStubs.ExchangeOnline, "USGovDoD", "ExchangeEnvironmentName", "O365USGovDoD")]
    [InlineData("ExchangeOnline", ConnectStubs.ExchangeOnline, "China", "ExchangeEnvironmentName", "O365China")]
    [InlineData("ExchangeOnline", ConnectStubs.ExchangeOnline, "Public", "ExchangeEnvironmentName", null)]
    [InlineData("MSOnline", ConnectStubs.Msol, "China", "AzureEnvironment", "AzureChinaCloud")]
    [InlineData("AzureAD", ConnectStubs.AzureAD, "USGov", "AzureEnvironmentName", "AzureUSGovernment")]
    public void A_national_cloud_is_named_as_the_cmdlet_names_it(string service, string stub, string environment, string parameter, string? expected)
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run(stub + ParametersOf(service, environment)).Succeeded();

        Assert.Equal(expected, outcome.Single<Hashtable>()[parameter]);
    }

    /// <summary>GCC High's tenants and the Department of Defense's are called after domains that end alike.</summary>
    [Theory]
    [InlineData("Public", "contoso.onmicrosoft.com", "https://contoso-admin.sharepoint.com")]
    [InlineData("USGov", "contoso.onmicrosoft.us", "https://contoso-admin.sharepoint.us")]
    [InlineData("USGovDoD", "contoso.onmicrosoft.us", "https://contoso-admin.sharepoint-mil.us")]
    [InlineData("China", "contoso.partner.onmschina.cn", "https://contoso-admin.sharepoint.cn")]
    public void The_admin_centre_of_SharePoint_is_the_clouds(string environment, string domain, string expected)
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run(
            $"Connect-DelegatedTenant -Service PnP -Organization {domain} -CertificateThumbPrint aabb -AppID 36ee4c6c-0812-40a2-b820-b22ebd02bce3 -Environment {environment} -AsHashtable");

        Assert.Equal(expected, outcome.Succeeded().Single<Hashtable>()["Url"]);
    }

    /// <summary>Asks the module's own table, which is internal, with a made-up token.</summary>
    private static string ParametersOf(string service, string environment) =>
        $$"""
        $flags = [System.Reflection.BindingFlags]'NonPublic, Public, Static, Instance'
        $assembly = [SecureAppModel.SecureAppCredential].Assembly
        $type = { param($name) $assembly.GetType("SecureAppModel.Connect.$name", $true) }
        $service = (& $type ConnectService).GetMethod('Find', $flags).Invoke($null, @('{{service}}'))
        $token = (& $type ServiceToken).GetConstructors($flags)[0].Invoke(@('token', '11111111-1111-1111-1111-111111111111', [datetimeoffset]::UtcNow, $null))
        $tokens = [Activator]::CreateInstance([System.Collections.Generic.Dictionary`2].MakeGenericType([string], (& $type ServiceToken)))
        foreach ($name in 'graph', 'aadGraph', 'outlook', 'partnerCenter', 'compliance', 'azure', 'teams', 'sharePoint') { $tokens.Add($name, $token) }
        $command = (Get-Command -Name $service.GetType().GetProperty('Command', $flags).GetValue($service)).PSObject.BaseObject
        $anchor = $service.GetType().GetProperty('TokenParameter', $flags).GetValue($service)
        $shape = (& $type CommandShape).GetMethod('Of', $flags).Invoke($null, @($command, $anchor))
        $context = (& $type ConnectContext).GetConstructors($flags)[0].Invoke(@($shape, $tokens))
        (& $type ConnectContext).GetProperty('Environment', $flags).SetValue($context, '{{environment}}')
        , (& $type ConnectService).GetMethod('Parameters', $flags).Invoke($service, @($context))
        """;
}
