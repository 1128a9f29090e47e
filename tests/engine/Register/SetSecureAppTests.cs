using System.Management.Automation;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Register;

/// <summary>Set-SecureApp: what is named changes, the rest stays, and nothing is registered.</summary>
public sealed class SetSecureAppTests : IDisposable
{
    private readonly Sandbox _sandbox = Registering.StartEmpty();
    private readonly Engine _engine;

    public SetSecureAppTests()
    {
        _engine = Engine.Open().WithAdministrator(_sandbox);
        _engine.Run("$global:one = New-SecureApp One; $global:two = New-SecureApp Two").Succeeded();
    }

    [Fact]
    public void What_is_named_changes_and_a_second_run_changes_nothing()
    {
        const string Script = "Set-SecureApp One -RedirectUri https://contoso.example/answer -Profile Audit -GrantAdminConsent";
        _sandbox.ResetStats();
        Assert.Contains("'One' in Contoso Partner", _engine.Run(Script + " -WhatIf").Succeeded().Screen);
        Assert.Empty(_sandbox.Changes());

        Outcome first = _engine.Run(Script).Succeeded();
        _sandbox.ResetStats();
        Outcome second = _engine.Run(Script).Succeeded();

        Assert.Contains("https://contoso.example/answer", string.Join('\n', (string[])first.Property("Changed")!));
        Assert.Null(first.Property("Credential"));
        Assert.Empty(_sandbox.Changes());
        Assert.Contains("Nothing to change: 'One' in Contoso Partner", second.Screen);
        Outcome listed = _engine.Run("Get-SecureApp One").Succeeded();
        Assert.Equal(new[] { "http://localhost", "https://contoso.example/answer" }, listed.Property("RedirectUris"));
        Assert.Equal("AzureADMultipleOrgs", listed.Property("SignInAudience"));
        Assert.Single((object[])listed.Property("Keys")!);
    }

    [Fact]
    public void A_name_is_changed_and_what_is_piped_too()
    {
        _engine.Run("Set-SecureApp One -NewName Renamed").Succeeded();
        Assert.Equal(_engine.Run("$one.ApplicationId").Single<string>(), _engine.Run("(Get-SecureApp Renamed).ApplicationId").Succeeded().Single<string>());

        Outcome outcome = _engine.Run(
            "$gone = [pscustomobject]@{ ApplicationId = '11111111-2222-3333-4444-555555555555' }; @($gone) + @(Get-SecureApp) | Set-SecureApp -SingleTenant");

        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.StartsWith("SecureAppModel.NotFound", error.FullyQualifiedErrorId);
        Assert.Equal(["Renamed", "Two"], outcome.Output.Select(one => one.Properties["DisplayName"].Value.ToString()).Order());
        Assert.Equal(["AzureADMyOrg", "AzureADMyOrg"], _engine.Run("(Get-SecureApp).SignInAudience").Succeeded().Output.Select(one => one.ToString()));
        _engine.Run("Set-SecureApp Two -SingleTenant:$false").Succeeded();
        Assert.Equal("AzureADMultipleOrgs", _engine.Run("(Get-SecureApp Two).SignInAudience").Succeeded().Single<string>());
    }

    [Fact]
    public void One_that_is_not_there_is_not_made()
    {
        _sandbox.ResetStats();

        ErrorRecord error = _engine.Refused("Set-SecureApp Three -NewName Four");

        Assert.StartsWith("SecureAppModel.NotFound", error.FullyQualifiedErrorId);
        Assert.Contains("New-SecureApp", error.ErrorDetails.RecommendedAction);
        Assert.Empty(_sandbox.Changes());
    }

    [Fact]
    public void A_name_beside_an_id_has_to_be_its_own()
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run("Get-SecureApp | Set-SecureApp One -SingleTenant");

        Assert.Equal("One", outcome.Property("DisplayName"));
        Assert.Contains("is called 'Two' and not 'One'", Assert.Single(outcome.Errors).Exception.Message);
        Assert.Single(_sandbox.Changes());
    }

    [Theory]
    [InlineData("Set-SecureApp -ApplicationId $two.ApplicationId -NewName Three")]
    [InlineData("Remove-SecureApp $two.ApplicationId -Confirm:$false")]
    public void A_default_that_may_not_do_it_names_the_ways_to_let_an_administrator_in(string script)
    {
        const string Ways = "-UseDeviceCode, -AccessToken or -Credential";

        ErrorRecord byDefault = Refused("Set-SecureAppDefault -Credential $one.Credential; " + script);
        ErrorRecord byName = Refused(script + " -Credential $one.Credential");

        Assert.Contains("Authorization_RequestDenied", byDefault.Exception.Message);
        Assert.Contains("Application Administrator", byDefault.ErrorDetails.RecommendedAction);
        Assert.Contains(Ways, byDefault.ErrorDetails.RecommendedAction);
        Assert.Contains(Ways, byDefault.Exception.Message);
        Assert.DoesNotContain(Ways, byName.ErrorDetails.RecommendedAction);
    }

    [Theory]
    [InlineData("Set-SecureApp One", "Nothing was named")]
    [InlineData("Set-SecureApp -NewName x", "No application was named")]
    [InlineData("Set-SecureApp One -NewName ''", "-NewName is empty")]
    [InlineData("Set-SecureApp -ApplicationId x -NewName y", "not an application id")]
    [InlineData("Set-SecureApp One -RedirectUri http://contoso.example", "localhost alone")]
    [InlineData("Set-SecureApp One -GrantAdminConsent", "no permission was named")]
    [InlineData("Set-SecureApp One -Role Contributor", "Azure resources")]
    [InlineData("Set-SecureApp One -AllowSelfUpdate:$false", "-AllowSelfUpdate:$false takes nothing away")]
    [InlineData("Set-SecureApp One -NewName Two -ConfigurePreconsent:$false", "-ConfigurePreconsent:$false takes nothing away")]
    [InlineData("Set-SecureApp One -Profile Audit -GrantAdminConsent:$false", "-GrantAdminConsent:$false takes nothing away")]
    public void Bad_input_ends_the_command_before_anything_is_sent(string script, string expected)
    {
        Assert.Contains(expected, _engine.RefusedUnsent(_sandbox, script).Exception.Message);
    }

    /// <summary>The script's one error, whether it ends the script or not.</summary>
    private ErrorRecord Refused(string script)
    {
        Outcome outcome = _engine.Run(script);
        return outcome.FailureRecord ?? Assert.Single(outcome.Errors);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }
}
