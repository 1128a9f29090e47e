using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Register;

/// <summary>Get-SecureApp and Remove-SecureApp, and who may.</summary>
public sealed class SecureAppTests : IDisposable
{
    private readonly Sandbox _sandbox = Registering.StartEmpty();
    private readonly Engine _engine;

    public SecureAppTests()
    {
        _engine = Engine.Open().WithAdministrator(_sandbox);
        _engine.Run("'Contoso One', 'Contoso Two', 'Other' | ForEach-Object { New-SecureApp $_ -SecretDays 10 }").Succeeded();
    }

    [Theory]
    [InlineData("Get-SecureApp", 3)]
    [InlineData("Get-SecureApp -All", 3)]
    [InlineData("Get-SecureApp contoso*", 2)]
    [InlineData("Get-SecureApp 'contoso one'", 1)]
    [InlineData("Get-SecureApp Nothing", 0)]
    public void They_are_listed_by_name_or_pattern(string script, int count) => Assert.Equal(count, _engine.Run(script).Succeeded().Output.Count);

    [Fact]
    public void One_is_shown_with_the_end_of_its_secret_and_no_secret()
    {
        Outcome outcome = _engine.Run("$one = Get-SecureApp 'Contoso One'; Get-SecureApp -ApplicationId $one.ApplicationId").Succeeded();

        Assert.InRange((DateTimeOffset)outcome.Property("KeysEndOn")!, DateTimeOffset.UtcNow.AddDays(9), DateTimeOffset.UtcNow.AddDays(11));
        Assert.NotNull(outcome.Property("ServicePrincipalId"));
        Assert.Equal(new[] { "http://localhost" }, outcome.Property("RedirectUris"));
        Assert.Contains("Contoso One", _engine.Render("Get-SecureApp 'Contoso One'"));
    }

    [Fact]
    public void Those_that_are_piped_are_removed_after_a_question_and_a_wrong_one_stops_no_other()
    {
        _sandbox.ResetStats();
        string screen = _engine.Run("Get-SecureApp contoso* | Remove-SecureApp -WhatIf").Succeeded().Screen;
        Assert.Contains("'Contoso One' in", screen);
        Assert.Contains("Remove the application", screen);
        Assert.Empty(_sandbox.Changes());

        Outcome outcome = _engine.Run(
            "$gone = [pscustomobject]@{ ApplicationId = '11111111-2222-3333-4444-555555555555' }; @($gone) + @(Get-SecureApp contoso*) | Remove-SecureApp -Confirm:$false -PassThru");

        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.StartsWith("SecureAppModel.NotFound", error.FullyQualifiedErrorId);
        Assert.Equal(2, outcome.Output.Count);
        Assert.Equal("Other", _engine.Run("(Get-SecureApp).DisplayName").Succeeded().Single<string>());
    }

    [Theory]
    [InlineData("Get-SecureApp")]
    [InlineData("Set-SecureApp -SingleTenant")]
    [InlineData("Remove-SecureApp -PassThru -Confirm:$false")]
    public void What_is_wrong_in_a_pipeline_fails_alone(string command)
    {
        Outcome outcome = _engine.Run(
            $$"""
            $one = (Get-SecureApp 'Contoso One').ApplicationId
            $rows = '', 'no id', '11111111-2222-3333-4444-555555555555' | ForEach-Object { [pscustomobject]@{ ApplicationId = $_ } }
            $rows += [pscustomobject]@{ ApplicationId = $one; TenantId = 'no tenant' }
            $rows += [pscustomobject]@{ ApplicationId = $one; TenantId = '' }
            $rows += [pscustomobject]@{ ApplicationId = $one.Replace('-', '') }
            $rows += [pscustomobject]@{ ApplicationId = $one; TenantId = $null }
            $rows | {{command}}
            """);

        Assert.Null(outcome.Failure);
        Assert.Equal("Contoso One", outcome.Property("DisplayName"));
        Assert.Equal(6, outcome.Errors.Count);
        Assert.Contains("is empty", outcome.Errors[0].Exception.Message);
        Assert.Contains("not an application id", outcome.Errors[1].Exception.Message);
        Assert.StartsWith("SecureAppModel.NotFound", outcome.Errors[2].FullyQualifiedErrorId);
        Assert.Contains("neither a tenant id", outcome.Errors[3].Exception.Message);
        Assert.All(outcome.Errors.Skip(4), error => Assert.Contains("is empty", error.Exception.Message));
    }

    [Theory]
    [InlineData("Get-SecureApp")]
    [InlineData("Set-SecureApp -SingleTenant")]
    [InlineData("Remove-SecureApp -Confirm:$false")]
    public void A_sign_in_that_fails_ends_the_command_and_is_not_begun_again(string command)
    {
        _sandbox.AddFault(new
        {
            match = new { service = "login", pathContains = "devicecode" },
            times = -1,
            action = new { kind = "status", status = 400, contentType = "application/json", body = """{"error":"invalid_request","error_description":"AADSTS90002: not today"}""" },
        });
        using Engine other = Engine.Open().JoinCloud(_sandbox);
        _sandbox.ResetStats();

        Outcome outcome = other.Run(
            $$"""
            $rows = '11111111-2222-3333-4444-555555555555', '22222222-2222-3333-4444-555555555555' | ForEach-Object { [pscustomobject]@{ ApplicationId = $_ } }
            try { $rows | {{command}} -UseDeviceCode } catch { 'caught' }
            'went on'
            """).Succeeded();

        Assert.Equal(["caught", "went on"], outcome.Output.Select(item => item.ToString()));
        Assert.Equal(1, _sandbox.Stats()["byPath"]!.AsObject().Where(path => path.Key.Contains("devicecode", StringComparison.Ordinal)).Sum(path => (long)path.Value!));
    }

    /// <summary>Thailand's calendar is 543 years ahead.</summary>
    [Fact]
    public void Dates_are_shown_in_one_calendar()
    {
        const string Thai = "[System.Threading.Thread]::CurrentThread.CurrentCulture = [cultureinfo]::GetCultureInfo('th-TH'); ";
        DateTimeOffset ends = (DateTimeOffset)_engine.Run("Get-SecureApp 'Contoso One'").Succeeded().Property("KeysEndOn")!;
        Assert.Equal((ends.Year + 543).ToString(), _engine.Run(Thai + "(Get-SecureApp 'Contoso One').KeysEndOn.ToString('yyyy')").Succeeded().Single<string>());

        Assert.Contains($"{ends.LocalDateTime:yyyy-MM-dd HH:mm:ss}", _engine.Render(Thai + "Get-SecureApp 'Contoso One'"));
        Assert.Contains(
            "2026-12-31", _engine.Render(Thai + "[pscustomobject]@{ PSTypeName = 'SecureAppModel.DelegatedAdminRelationship'; DisplayName = 'one'; EndsOn = [datetimeoffset]'2026-12-31T00:00:00Z' }"));
    }

    [Fact]
    public void Two_of_one_name_are_an_error_that_asks_for_the_id()
    {
        _engine.Run("New-SecureApp Renamed -ApplicationId (Get-SecureApp Other).ApplicationId; New-SecureApp 'Contoso One' -ApplicationId (Get-SecureApp Renamed).ApplicationId").Succeeded();

        Outcome outcome = _engine.Run("New-SecureApp 'Contoso One'");

        ErrorRecord error = outcome.FailureRecord ?? Assert.Single(outcome.Errors);
        Assert.Contains("2 applications", error.Exception.Message);
        Assert.Contains("-ApplicationId", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void A_user_who_is_no_administrator_is_told_what_it_takes()
    {
        using Engine other = Engine.Open().WithAdministrator(_sandbox, "office");

        Outcome outcome = other.Run("New-SecureApp Mine");

        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.StartsWith("SecureAppModel.Denied", error.FullyQualifiedErrorId);
        Assert.Contains("Application Administrator", error.ErrorDetails.RecommendedAction);
        Assert.Equal(0, _engine.Run("@(Get-SecureApp Mine).Count").Succeeded().Single<int>());
    }

    [Fact]
    public void An_empty_sandbox_has_no_credential_and_an_administrator()
    {
        Outcome outcome = _engine.Run("$global:own = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0 -Preset empty; $own; Stop-SecureAppSandbox $own").Succeeded();

        Assert.Null(outcome.Property("Credential"));
        Assert.True(_engine.Run("$own.Users[0].Administrator").Single<bool>());
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }
}
