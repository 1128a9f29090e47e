using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Register;
using SecureAppModel.EngineTests.Sandboxing;
using SecureAppModel.EngineTests.Stopping;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>What a command that changes something says before it does.</summary>
public sealed class WhatIfTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    /// <summary>Calls that would change something, of commands whose row in <see cref="StopTable"/> only reads.</summary>
    private static readonly Dictionary<string, string> s_changing = new()
    {
        ["Invoke-SecureAppRequest"] = "Invoke-SecureAppRequest /v1.0/users/any -Method PATCH -Body @{ jobTitle = 'any' } -TenantId $customer -Credential $application",
        ["Invoke-SecureAppExchangeCommand"] =
            "Invoke-SecureAppExchangeCommand Set-AdminAuditLogConfig @{ UnifiedAuditLogIngestionEnabled = $true } -TenantId $customer -Credential $application",
        ["Disconnect-DelegatedTenant"] = "function Disconnect-MgGraph { throw 'It was called.' }; Disconnect-DelegatedTenant Graph",
        ["Stop-SecureAppSandbox"] =
            "$null = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0 -WhatIf:$false; Stop-SecureAppSandbox; Stop-SecureAppSandbox -WhatIf:$false",
        ["New-SecureApp"] = "New-SecureApp any -Credential $administrator",
        ["Set-SecureApp"] = "Set-SecureApp -ApplicationId $sandbox.ApplicationId -NewName any -Credential $administrator",
        ["Update-SecureAppCredential"] = "Update-SecureAppCredential $application -AdministratorCredential $administrator",
        ["Remove-SecureApp"] = "Remove-SecureApp $sandbox.ApplicationId -Credential $administrator",
        ["Get-DelegatedTenantSecuritySummary"] = "Get-DelegatedTenantSecuritySummary $customer $application -CsvPath $folder/any.csv",
    };

    /// <summary>Every exported command that has -WhatIf.</summary>
    public static TheoryData<string> Commands()
    {
        using Engine engine = Engine.Open();
        return [.. engine.Run("(Get-Command -Module SecureAppModel | Where-Object { $_.Parameters.ContainsKey('WhatIf') }).Name")
            .Succeeded().Output.Select(name => name.ToString()!)];
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_that_only_says_what_it_would_do_sends_no_changing_request(string command)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        using Engine engine = StopBed.Open(sandbox, out string folder).WithAdministrator(sandbox);
        engine.Run("Set-SecureAppDefault -Credential $credential").Succeeded();
        string script = s_changing.GetValueOrDefault(command) ?? StopTable.Rows[command].Script;

        Outcome outcome = engine.Run(StopBed.Ask + "$WhatIfPreference = $true; " + script);

        Assert.Contains("What if:", outcome.Screen);
        Assert.Empty(sandbox.Changes());
        StopBed.Incomplete(folder);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("-Force", true)]
    public void An_export_says_whether_it_removes_earlier_ones(string how, bool removes)
    {
        using Engine engine = Engine.Open().Join(shared.Sandbox);
        engine.Set("folder", Path.Combine(Path.GetTempPath(), $"secureapp-{Guid.NewGuid():n}"));

        string screen = engine.Run($"Export-SecureAppAuditLog $customer $folder -WhatIf {how}").Succeeded().Screen;

        Assert.Contains("export audit log from", screen, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(removes, screen.Contains("Remove earlier exports", StringComparison.Ordinal));
    }
}
