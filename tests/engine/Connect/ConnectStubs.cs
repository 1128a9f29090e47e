using System.Collections;
using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Connect;

/// <summary>The services' own Connect cmdlets with their true parameters; each leaves what it got in <c>$global:got</c>.</summary>
internal static class ConnectStubs
{
    /// <summary>What a cmdlet got, less -ErrorAction, by which its errors are always heard.</summary>
    public static IDictionary Got(Engine engine)
    {
        object? got = engine.Get("got");
        Hashtable parameters = new(Assert.IsAssignableFrom<IDictionary>(got is PSObject wrapped ? wrapped.BaseObject : got));
        Assert.Equal(ActionPreference.Continue, parameters["ErrorAction"]);
        parameters.Remove("ErrorAction");
        return parameters;
    }

    public const string MgGraph =
        """
        function Connect-MgGraph {
            [CmdletBinding(DefaultParameterSetName = 'UserParameterSet')] param(
                [Parameter(ParameterSetName = 'UserParameterSet')] [string[]] $Scopes,
                [Parameter(ParameterSetName = 'AccessTokenParameterSet', Mandatory, Position = 0)] [securestring] $AccessToken,
                [string] $Environment, [double] $ClientTimeout, [switch] $NoWelcome)
            $global:got = $PSBoundParameters
        }

        """;

    public const string MgGraphVersion1 =
        """
        function Connect-MgGraph {
            [CmdletBinding()] param([Parameter(ParameterSetName = 'AccessTokenParameterSet', Mandatory)] [string] $AccessToken)
            $global:got = $PSBoundParameters
        }

        """;

    /// <summary>Most of its parameters are dynamic ones, as in the real module.</summary>
    public const string ExchangeOnline =
        """
        function Connect-ExchangeOnline {
            [CmdletBinding()] param([string] $DelegatedOrganization, [string] $ExchangeEnvironmentName, [bool] $ShowBanner)
            dynamicparam {
                $all = [System.Management.Automation.RuntimeDefinedParameterDictionary]::new()
                foreach ($name in 'AccessToken', 'Organization', 'UserPrincipalName', 'AppId') {
                    $attributes = [System.Collections.ObjectModel.Collection[Attribute]]::new()
                    $attributes.Add([System.Management.Automation.ParameterAttribute]::new())
                    $all.Add($name, [System.Management.Automation.RuntimeDefinedParameter]::new($name, [string], $attributes))
                }
                $all
            }
            process { $global:got = $PSBoundParameters }
        }

        """;

    public const string PartnerCenterVersion1 =
        """
        function Connect-PartnerCenter {
            [CmdletBinding()] param(
                [Parameter(ParameterSetName = 'AccessToken', Mandatory)] [string] $AccessToken,
                [Parameter(ParameterSetName = 'AccessToken', Mandatory)] [datetimeoffset] $AccessTokenExpiresOn,
                [Parameter(ParameterSetName = 'AccessToken', Mandatory)] [Parameter(ParameterSetName = 'User', Mandatory)] [string] $ApplicationId,
                [Parameter(ParameterSetName = 'User')] [pscredential] $Credential)
            $global:got = $PSBoundParameters
        }

        """;

    public const string PartnerCenterVersion3 =
        """
        function Connect-PartnerCenter {
            [CmdletBinding()] param(
                [Parameter(ParameterSetName = 'AccessToken', Mandatory)] [string] $AccessToken,
                [Parameter(ParameterSetName = 'RefreshToken', Mandatory)] [string] $ApplicationId,
                [Parameter(ParameterSetName = 'RefreshToken', Mandatory)] [string] $RefreshToken,
                [Parameter(ParameterSetName = 'ServicePrincipal')] [Alias('TenantId')] [string] $Tenant)
            $global:got = $PSBoundParameters
            'a partner context'
        }

        """;

    public const string Msol =
        """
        function Connect-MsolService {
            [CmdletBinding()] param([pscredential] $Credential, [string] $AdGraphAccessToken, [string] $MsGraphAccessToken, [string] $AzureEnvironment)
            $global:got = $PSBoundParameters
        }

        """;

    public const string AzureAD =
        """
        function Connect-AzureAD {
            [CmdletBinding()] param([string] $AadAccessToken, [string] $MsAccessToken, [string] $AccountId, [string] $TenantId, [string] $AzureEnvironmentName)
            $global:got = $PSBoundParameters
        }

        """;
}
