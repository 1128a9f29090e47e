using System.Management.Automation;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>A consent that is removed to be granted again, and what comes between.</summary>
public sealed class ConsentReplacementTests : IDisposable
{
    /// <summary>Its customers have consented to everything but this.</summary>
    private const string More = "Grant-SecureAppConsent $customer -Scope Application.Read.All";

    /// <summary>Of three APIs, the last of which is known by its id alone.</summary>
    private const string Consents = """
        (Get-SecureAppConsent $customer -Resource https://manage.office.com, https://vault.azure.net).Outcome
        (Get-SecureAppConsent $customer -Resource 48ac35b8-9aa8-4d74-927d-1f4a14a0b239 -Scope user_impersonation).Outcome
        """;

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
    private readonly Engine _engine;

    public ConsentReplacementTests()
    {
        _engine = Engine.Open().Join(_sandbox);
    }

    [Fact]
    public void The_rest_stays_and_a_warning_has_the_command_that_restores_it()
    {
        Outcome outcome = _engine.Run(More).Succeeded();

        Assert.Equal("Replaced", Assert.Single(outcome.Output).Properties["Outcome"].Value);
        Assert.All(_engine.Run(Consents).Succeeded().Output, row => Assert.Equal("Granted", row.ToString()));
        _engine.Run("Revoke-SecureAppConsent $customer -Confirm:$false").Succeeded();
        Restored(Assert.Single(outcome.Warnings));
    }

    [Fact]
    public void Whoever_takes_warnings_for_errors_loses_nothing()
    {
        Outcome outcome = _engine.Run(More + " -WarningAction Stop");

        Assert.NotNull(outcome.FailureRecord);
        Assert.Empty(_sandbox.Changes());
        Assert.All(_engine.Run(Consents).Succeeded().Output, row => Assert.Equal("Granted", row.ToString()));
    }

    [Fact]
    public void What_a_killed_process_has_removed_comes_back_by_the_command_in_its_warning()
    {
        Hold();
        string? warning;
        using (ChildEngine child = ChildEngine.Start(
            """
            param($module, $ca, $login, $graph, $partnerCenter, $application, $secret, $refreshToken, $partner, $customer)
            Import-Module $module
            $null = Add-SecureAppEnvironment -Name Cloud -CertificatePath $ca -LoginEndpoint $login -GraphEndpoint $graph -PartnerCenterEndpoint $partnerCenter
            $credential = @{ appId = $application; secret = $secret; refreshToken = $refreshToken; tenantId = $partner }
            Grant-SecureAppConsent $customer $credential -Scope Application.Read.All -Environment Cloud 3>&1 | ForEach-Object { "$_" }
            """,
            Repository.Manifest,
            _sandbox.Facts.CertificatePath,
            _sandbox.Facts.Endpoints["login"],
            _sandbox.Facts.Endpoints["graph"],
            _sandbox.Facts.Endpoints["partnerCenter"],
            _sandbox.Facts.ApplicationId,
            _sandbox.Facts.Secret,
            _sandbox.Facts.RefreshToken,
            _sandbox.Facts.PartnerTenantId,
            _sandbox.Facts.Tenants[0].TenantId))
        {
            warning = child.ReadLine();
            _sandbox.WaitForHold("held", "held");
            child.Process.Kill(entireProcessTree: true);
        }

        _sandbox.WaitForHold("held", "closed");
        _sandbox.ClearFaults();
        Assert.All(_engine.Run(Consents).Succeeded().Output, row => Assert.Equal("NotGranted", row.ToString()));
        Restored(warning!);
    }

    [Fact]
    public void What_a_stopped_command_has_lost_is_a_later_commands_warning()
    {
        Hold();
        _sandbox.AddFault(new
        {
            match = new { service = "partnerCenter", method = "POST" },
            times = -1,
            action = new { kind = "status", status = 400, body = """{"code":"2000","description":"Not now."}""" },
        });
        RunningScript running = _engine.Start(More);
        _sandbox.WaitForHold("held", "held");
        running.Stop();
        Outcome stopped = running.Wait();
        Assert.True(stopped.Stopped);
        Assert.Single(stopped.Warnings);
        _sandbox.Release("held");

        using var limit = new CancellationTokenSource(Within.Limit);
        List<string> later = [];
        while (!later.Any(text => text.Contains("THE CONSENT for https://manage.office.com", StringComparison.Ordinal)))
        {
            limit.Token.ThrowIfCancellationRequested();
            later.AddRange(_engine.Run("Get-SecureAppConsent $customer").Warnings);
        }

        Assert.All(later, text => Assert.Contains("Run this now: Grant-SecureAppConsent -TenantId", text));
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    /// <summary>Has the first grant after the removal wait.</summary>
    private void Hold() => _sandbox.AddFault(new
    {
        id = "held",
        match = new { service = "partnerCenter", method = "POST" },
        times = 1,
        action = new { kind = "hold", stage = "before-headers" },
    });

    private void Restored(string warning)
    {
        Match command = Regex.Match(warning, "Grant-SecureAppConsent -TenantId \\S+ -Scope .+");
        Assert.True(command.Success, warning);

        IReadOnlyList<PSObject> rows = _engine.Run(command.Value).Succeeded().Output;

        Assert.All(rows, row => Assert.Equal("Granted", row.Properties["Outcome"].Value));
        Assert.All(_engine.Run(Consents).Succeeded().Output, row => Assert.Equal("Granted", row.ToString()));
        Assert.Contains("Application.Read.All", (string[])_engine.Run("Get-SecureAppConsent $customer -Scope Application.Read.All").Property("GrantedScopes")!);
    }
}
