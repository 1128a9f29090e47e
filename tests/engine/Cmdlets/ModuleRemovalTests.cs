using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>Removing the module ends that session's work, visibly, and nobody else's.</summary>
public sealed class ModuleRemovalTests : IDisposable
{
    private const string Graph = "https://graph.microsoft.com";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "3", "--records", "0", "--seed", "5");

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void Work_that_is_cut_off_is_an_error_and_not_a_short_result()
    {
        using Engine engine = Engine.Open().Join(_sandbox);
        Hold(skip: 1);

        ErrorRecord error = engine.Refused(
            $"$sandbox.Tenants.TenantId | Get-SecureAppAccessToken -Resource {Graph} -AppOnly | ForEach-Object {{ Remove-Module SecureAppModel }}");

        Assert.StartsWith("SecureAppModel.Cancelled", error.FullyQualifiedErrorId);
        Assert.Equal(ErrorCategory.OperationStopped, error.CategoryInfo.Category);
    }

    [Fact]
    public void Another_session_goes_on()
    {
        using Engine first = Engine.Open().Join(_sandbox);
        using Engine second = Engine.Open().Join(_sandbox);
        Hold(skip: 0);
        RunningScript running = second.Start($"Get-SecureAppAccessToken $customer -Resource {Graph} -AppOnly");
        _sandbox.WaitForHold("tokens", "held");

        first.Run("Remove-Module SecureAppModel").Succeeded();
        _sandbox.Release("tokens");

        Assert.Single(running.Wait().Succeeded().Output);
    }

    [Fact]
    public void The_module_can_be_imported_and_used_again()
    {
        using Engine engine = Engine.Open().Join(_sandbox);
        engine.Run($"$null = Get-SecureAppAccessToken $customer -Resource {Graph}; Remove-Module SecureAppModel").Succeeded();
        engine.Run("param($path) Import-Module $path", Repository.Manifest).Succeeded();

        Outcome outcome = engine.Run(
            $"Get-SecureAppAccessToken $customer -Resource {Graph} -Credential $credential -Environment $sandbox.Environment");

        Assert.Single(outcome.Succeeded().Output);
    }

    private void Hold(int skip) => _sandbox.AddFault(new
    {
        id = "tokens",
        match = new { service = "login", method = "POST", pathContains = "token" },
        times = -1,
        skip,
        action = new { kind = "hold", stage = "before-headers" },
    });
}
