using System.Collections;
using System.Management.Automation;
using SecureAppModel.EngineTests.Gcits;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Connect;

/// <summary>What Connect-DelegatedTenant says and does beside handing tokens over.</summary>
public sealed class ConnectCommandTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    /// <summary>The ways in which a command fails.</summary>
    private static readonly string[] s_failures = ["$PSCmdlet.ThrowTerminatingError($record)", "$PSCmdlet.WriteError($record)", "throw $record"];

    private const string Unknown = "99999999-9999-9999-9999-999999999999";

    private readonly Sandbox _sandbox = shared.Sandbox;

    private string Customer => _sandbox.Facts.Tenants[0].TenantId;

    [Fact]
    public void The_result_says_what_was_connected_and_until_when()
    {
        Outcome outcome = Run(ConnectStubs.MgGraph + ConnectStubs.PartnerCenterVersion3, "Connect-DelegatedTenant $customer Graph, PartnerCenter").Succeeded();

        Assert.Equal(["Graph", "PartnerCenter"], outcome.Output.Select(item => item.Properties["Service"].Value));
        Assert.Equal([Customer, _sandbox.Facts.PartnerTenantId], outcome.Output.Select(item => item.Properties["TenantId"].Value));
        Assert.Equal(["Connect-MgGraph", "Connect-PartnerCenter"], outcome.Output.Select(item => item.Properties["Command"].Value));
        Assert.All(outcome.Output, item => Assert.Equal(_sandbox.Facts.UserPrincipalName, item.Properties["Account"].Value));
        Assert.All(outcome.Output, item => Assert.True((DateTimeOffset)item.Properties["ExpiresOn"].Value > DateTimeOffset.UtcNow));
    }

    [Theory]
    [InlineData("$customer", "", 0)]
    [InlineData("$sandbox.PartnerTenantId", ", Graph", 1)]
    public void The_partners_tenant_is_not_guessed(string tenant, string also, int connected)
    {
        Outcome outcome = Run(
            ConnectStubs.PartnerCenterVersion3 + ConnectStubs.MgGraph,
            $"Connect-DelegatedTenant {tenant} PartnerCenter{also} -Credential @{{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $sandbox.RefreshToken }}");

        Assert.Equal(connected, outcome.Output.Count);
        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Contains("neither the credential nor a token names that tenant", error.Exception.Message);
        Assert.Contains("New-SecureAppCredential -TenantId", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void Retired_services_warn_and_are_called()
    {
        Outcome outcome = Run(ConnectStubs.Msol + ConnectStubs.AzureAD, "Connect-DelegatedTenant $customer MSOnline, AzureAD").Succeeded();

        Assert.Equal(2, outcome.Output.Count);
        Assert.Equal(2, outcome.Warnings.Count);
        Assert.All(outcome.Warnings, warning => Assert.Contains("-Service Graph", warning));
    }

    [Fact]
    public void A_missing_module_is_named_with_what_installs_it_and_the_rest_goes_on()
    {
        Outcome outcome = Run(ConnectStubs.MgGraph, "Connect-DelegatedTenant $customer ExchangeOnline, Graph");

        Assert.Equal("Graph", outcome.Property("Service"));
        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.StartsWith("SecureAppModel.ModuleNotFound,", error.FullyQualifiedErrorId);
        Assert.Contains("Install-Module ExchangeOnlineManagement", error.Exception.Message);
    }

    [Fact]
    public void A_version_without_a_token_parameter_is_to_be_updated()
    {
        Outcome outcome = Run("function Connect-ExchangeOnline { [CmdletBinding()] param([string] $UserPrincipalName) }\n", "Connect-DelegatedTenant $customer ExchangeOnline");

        Assert.Empty(outcome.Output);
        Assert.Contains("has no parameter -AccessToken", Assert.Single(outcome.Errors).Exception.Message);
    }

    public static MatrixTheoryData<string, string> Failures() => new(s_failures, ["Continue", "SilentlyContinue", "Ignore"]);

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_connect_that_fails_is_an_error_and_no_result(string failure, string preference)
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(
            Failing("Connect-MgGraph", "[securestring] $AccessToken", failure) +
            $$"""
            function Disconnect-MgGraph { 'disconnected' }
            $ErrorActionPreference = '{{preference}}'
            Connect-DelegatedTenant $customer Graph -ErrorVariable told
            Disconnect-DelegatedTenant
            """);

        Assert.Null(outcome.Failure);
        Assert.Empty(outcome.Output);
        Assert.Equal(preference == "Continue" ? 1 : 0, outcome.Errors.Count);
        Assert.All(outcome.Errors, error => Assert.Equal("Connect-MgGraph: refused by the stub", error.ErrorDetails.Message));
        if (preference != "Ignore")
        {
            Assert.Contains("Connect-MgGraph: refused by the stub", engine.Run("$told | ForEach-Object { \"$_\" }").Output.Select(told => told.ToString()));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_connect_that_fails_ends_a_script_that_is_to_stop(int failure)
    {
        Outcome outcome = Run(
            Failing("Connect-MgGraph", "[securestring] $AccessToken", s_failures[failure]),
            "$ErrorActionPreference = 'Stop'; try { Connect-DelegatedTenant $customer Graph; 'went on' } catch { \"$_\" }");

        Assert.Contains("refused by the stub", outcome.Succeeded().Single<string>());
    }

    /// <summary>It stays on the list of what is to be disconnected.</summary>
    [Theory]
    [MemberData(nameof(Failures))]
    public void A_disconnect_that_fails_has_not_disconnected(string failure, string preference)
    {
        Outcome outcome = Run(
            ConnectStubs.MgGraph + Failing("Disconnect-MgGraph", string.Empty, "$global:ended += 1; " + failure),
            $"$null = Connect-DelegatedTenant $customer Graph; $ErrorActionPreference = '{preference}'; Disconnect-DelegatedTenant; Disconnect-DelegatedTenant; $ended");

        Assert.Equal(2, outcome.Single<int>());
        Assert.Equal(preference == "Continue" ? 2 : 0, outcome.Errors.Count);
    }

    [Fact]
    public void A_tenant_without_a_token_is_an_error_with_the_tenant_as_its_target()
    {
        Outcome outcome = Run(ConnectStubs.MgGraph, $"Connect-DelegatedTenant {Unknown} Graph");

        Assert.Empty(outcome.Output);
        Assert.Equal(Unknown, Assert.Single(outcome.Errors).TargetObject);
    }

    [Fact]
    public void An_empty_variable_is_never_the_own_tenant()
    {
        Outcome outcome = Run(ConnectStubs.MgGraph, "Connect-DelegatedTenant -TenantId $nobody -Service Graph");

        Assert.Empty(outcome.Output);
        Assert.Contains("No tenant was given", outcome.FailureRecord?.Exception.Message ?? Assert.Single(outcome.Errors).Exception.Message);
    }

    [Fact]
    public void Splat_tables_come_one_for_each_service_and_nothing_is_called()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(
            ConnectStubs.MgGraph +
            """
            $graph, $exchange = Connect-DelegatedTenant $customer Graph, ExchangeOnline -AsHashtable
            $graph.Service; $exchange.Service; $exchange.DelegatedOrganization; $null -eq $global:got
            Connect-MgGraph @graph
            $global:got.AccessToken.GetType().Name
            """).Succeeded();

        Assert.Equal(["Graph", "ExchangeOnline", Customer, true, "SecureString"], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void Customers_come_by_pipeline()
    {
        Outcome outcome = Run(ConnectStubs.MgGraph, "$sandbox.Tenants | Connect-DelegatedTenant -Service Graph").Succeeded();

        Assert.Equal(_sandbox.Facts.Tenants.Select(tenant => tenant.TenantId), outcome.Output.Select(item => item.Properties["TenantId"].Value));
    }

    [Fact]
    public void A_stop_reaches_the_services_own_cmdlet()
    {
        using Engine engine = Engine.Open().Join(_sandbox);
        using var called = new ManualResetEventSlim();
        engine.Set("called", called);
        RunningScript script = engine.Start(
            "function Connect-MgGraph { [CmdletBinding()] param([securestring] $AccessToken) $called.Set(); while ($true) { } }\nConnect-DelegatedTenant $customer Graph");
        Assert.True(called.Wait(TimeSpan.FromSeconds(60)));

        script.Stop();

        Assert.True(script.Wait().Stopped);
    }

    [Fact]
    public void No_token_is_in_any_stream()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        Outcome outcome = engine.Run(ConnectStubs.AzureAD + "$VerbosePreference = $DebugPreference = 'Continue'; Connect-DelegatedTenant $customer AzureAD").Succeeded();

        var token = (string)((IDictionary)((PSObject)PSObject.AsPSObject(engine.Get("got")!)).BaseObject)["AadAccessToken"]!;
        Jwt.Claims(token);
        Assert.DoesNotContain(token, outcome.AllText);
        Assert.DoesNotContain(_sandbox.Facts.Secret, outcome.AllText);
        Assert.DoesNotContain(_sandbox.Facts.RefreshToken, outcome.AllText);
    }

    [Fact]
    public void The_view_shows_what_matters()
    {
        using Engine engine = Engine.Open().Join(_sandbox);

        string screen = engine.Render(ConnectStubs.MgGraph + "Connect-DelegatedTenant $customer Graph");

        Assert.Matches($@"Graph\s+{Customer}\s+{_sandbox.Facts.UserPrincipalName![..8]}", screen);
    }

    private static string Failing(string command, string parameters, string failure) =>
        $$"""
        function {{command}} {
            [CmdletBinding()] param({{parameters}})
            $record = [System.Management.Automation.ErrorRecord]::new([Exception]::new('refused by the stub'), 'Stub', 'ConnectionError', $null)
            {{failure}}
        }

        """;

    private Outcome Run(string stubs, string script)
    {
        using Engine engine = Engine.Open().Join(_sandbox);
        return engine.Run(stubs + script);
    }
}
