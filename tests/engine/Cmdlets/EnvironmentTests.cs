using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>The clouds that the module knows and those that are added. They belong to the process, so names are unique here.</summary>
public sealed class EnvironmentTests : IDisposable
{
    private readonly Engine _engine = Engine.Open();
    private readonly string _name = "Test-" + Guid.NewGuid().ToString("N");

    public EnvironmentTests()
    {
        _engine.Set("name", _name);
    }

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void The_clouds_of_Microsoft_are_built_in()
    {
        Outcome outcome = _engine.Run("foreach ($e in Get-SecureAppEnvironment) { if ($e.IsBuiltIn) { $e.Name } }").Succeeded();

        Assert.Superset(
            new HashSet<object> { "Public", "USGovGCC", "USGov", "USGovDoD", "China" },
            outcome.Output.Select(item => item.BaseObject).ToHashSet());
    }

    [Fact]
    public void One_can_be_added_found_and_removed()
    {
        Outcome outcome = _engine.Run(
            """
            $added = Add-SecureAppEnvironment $name -LoginEndpoint https://login.example.org -GraphEndpoint https://graph.example.org
            $e = Get-SecureAppEnvironment ($name.Substring(0, 12) + '*')
            $e.Name; $e.IsBuiltIn; $e.GraphEndpoint
            $added.Name -eq $e.Name
            Remove-SecureAppEnvironment $name
            Get-SecureAppEnvironment $name
            """);

        Assert.Null(outcome.Failure);
        Assert.Equal(_name, outcome.Output[0].BaseObject);
        Assert.Equal(false, outcome.Output[1].BaseObject);
        Assert.StartsWith("https://graph.example.org", Assert.IsType<string>(outcome.Output[2].BaseObject));
        Assert.Equal(true, outcome.Output[3].BaseObject);
        ErrorRecord gone = Assert.Single(outcome.Errors);
        Assert.StartsWith("SecureAppModel.NotFound", gone.FullyQualifiedErrorId);
        Assert.Contains("Get-SecureAppEnvironment", gone.FullyQualifiedErrorId + gone.InvocationInfo.Line);
        Assert.DoesNotContain(_name, gone.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void A_name_is_replaced_only_with_Force()
    {
        ErrorRecord error = _engine.Refused(
            """
            Add-SecureAppEnvironment $name -LoginEndpoint https://login.example.org
            Add-SecureAppEnvironment $name -LoginEndpoint https://login.example.com -Force
            Add-SecureAppEnvironment $name -LoginEndpoint https://login.example.net
            """);

        Assert.StartsWith("SecureAppModel.InvalidInput", error.FullyQualifiedErrorId);
        string endpoint = _engine.Run("(Get-SecureAppEnvironment $name).LoginEndpoint").Succeeded().Single<string>();
        Assert.StartsWith("https://login.example.com", endpoint);
    }

    [Theory]
    [InlineData("Add-SecureAppEnvironment", "no name")]
    [InlineData("Add-SecureAppEnvironment $name", "no identity service")]
    [InlineData("Add-SecureAppEnvironment $name -LoginEndpoint https://login.example.org -CertificatePath /nowhere/ca.pem", "/nowhere/ca.pem")]
    [InlineData("Add-SecureAppEnvironment Public -LoginEndpoint https://login.example.org -Force", "Public")]
    [InlineData("Remove-SecureAppEnvironment", "No environment was named")]
    public void What_cannot_be_is_refused_with_the_reason(string command, string said)
    {
        Assert.Contains(said, _engine.Refused(command).Exception.Message);
    }

    [Fact]
    public void A_wrong_row_of_a_table_fails_alone()
    {
        Outcome outcome = _engine.Run(
            """
            @(
                [pscustomobject]@{ Name = 'no-login' }
                [pscustomobject]@{ Name = $name; LoginEndpoint = 'https://login.example.org' }
            ) | Add-SecureAppEnvironment | ForEach-Object Name
            $null, $name | Remove-SecureAppEnvironment
            """);

        Assert.Null(outcome.Failure);
        Assert.Equal(_name, outcome.Single<string>());
        Assert.Contains("no identity service", outcome.Errors[0].Exception.Message);
        Assert.DoesNotContain(_name, _engine.Run("(Get-SecureAppEnvironment).Name").Output.Select(item => item.ToString()));
    }

    [Fact]
    public void WhatIf_adds_nothing()
    {
        Outcome outcome = _engine.Run(
            "Add-SecureAppEnvironment $name -LoginEndpoint https://login.example.org -WhatIf; Get-SecureAppEnvironment $name");

        Assert.Empty(outcome.Output);
        Assert.Single(outcome.Errors);
    }

    [Fact]
    public void Removing_the_default_environment_clears_it_and_says_so()
    {
        Outcome outcome = _engine.Run(
            """
            $null = Add-SecureAppEnvironment $name -LoginEndpoint https://login.example.org
            Set-SecureAppDefault -Environment $name
            $name | Remove-SecureAppEnvironment
            $null -eq (Get-SecureAppDefault).Environment
            """);

        Assert.Equal(true, outcome.Output.Single().BaseObject);
        Assert.Contains(_name, Assert.Single(outcome.Warnings));
    }

    /// <summary>What would use the removed default says so, and sends nothing, until somebody decides anew.</summary>
    [Theory]
    [InlineData("Set-SecureAppDefault -Environment USGov", "USGov")]
    [InlineData("Clear-SecureAppDefault -Environment", "")]
    public void A_removed_default_never_becomes_another_cloud(string decision, string after)
    {
        _engine.Set("tenant", Guid.NewGuid().ToString());
        _engine.Run(
            """
            $null = Add-SecureAppEnvironment $name -LoginEndpoint https://localhost:1
            Set-SecureAppDefault -Environment $name -Credential @{ appId = $tenant; secret = 'x' }
            Remove-SecureAppEnvironment $name
            """);

        ErrorRecord error = _engine.Refused("Get-SecureAppAccessToken $tenant -Resource https://graph.microsoft.com");

        Assert.StartsWith("SecureAppModel.InvalidInput", error.FullyQualifiedErrorId);
        Assert.Contains("default environment", error.Exception.Message);
        Assert.Contains("Set-SecureAppDefault", error.ErrorDetails.RecommendedAction);
        _engine.Run("Set-SecureAppDefault -Credential @{ appId = $tenant; secret = 'y' }").Succeeded();
        Assert.Contains("was removed", _engine.Refused("Get-DelegatedTenant").Exception.Message);

        Assert.Equal(after, _engine.Run(decision + "; \"$((Get-SecureAppDefault).Environment)\"").Succeeded().Single<string>());
        _engine.Run("Clear-SecureAppDefault -Environment; $null = Add-SecureAppEnvironment $name -LoginEndpoint https://localhost:1").Succeeded();
        ErrorRecord sent = _engine.Run("Get-SecureAppAccessToken $tenant -Resource https://graph.microsoft.com -Environment $name").Errors.Single();
        Assert.StartsWith("SecureAppModel.Network", sent.FullyQualifiedErrorId);
    }

    [Theory]
    [InlineData("Get-SecureAppAccessToken $tenant -Resource x -Environment <>")]
    [InlineData("Get-DelegatedTenant -Environment <>")]
    [InlineData("Test-SecureAppCredential -Environment <>")]
    [InlineData("New-SecureAppRefreshToken -NoBrowser -Environment <>")]
    [InlineData("Connect-DelegatedTenant $tenant Graph -Environment <>")]
    [InlineData("Export-SecureAppAuditLog $tenant $folder -Environment <>")]
    [InlineData("Get-SecureAppTokenCache -Environment <>")]
    [InlineData("Clear-SecureAppTokenCache -Environment <> -Confirm:$false")]
    [InlineData("Get-SecureAppKeyVaultSecret vault name -Environment <>")]
    [InlineData("Set-SecureAppKeyVaultSecret vault name x -Environment <>")]
    [InlineData("Get-SecureAppKeyVaultCertificate vault name -Environment <>")]
    [InlineData("Get-SecureAppCredential name -VaultName vault -Environment <>")]
    [InlineData("Save-SecureAppCredential name -VaultName vault -Environment <>")]
    [InlineData("Remove-SecureAppCredential name -VaultName vault -Environment <> -Confirm:$false")]
    [InlineData("New-SecureAppCredential $tenant -VaultName vault -SecretName x -Environment <>")]
    [InlineData("Start-SecureAppSandbox -Environment <>")]
    [InlineData("Set-SecureAppDefault -Environment <>")]
    public void An_empty_variable_is_never_the_default_environment(string command)
    {
        _engine.Set("tenant", Guid.NewGuid().ToString());
        _engine.Set("folder", Path.Combine(Path.GetTempPath(), "secureapp-is-not-made"));
        _engine.Run("Set-SecureAppDefault -Credential @{ appId = $tenant; secret = 'x'; tenantId = $tenant }").Succeeded();
        foreach (string empty in new[] { "$null", "''", "'  '" })
        {
            ErrorRecord error = _engine.Refused(command.Replace("<>", empty, StringComparison.Ordinal));

            Assert.StartsWith("SecureAppModel.", error.FullyQualifiedErrorId);
            Assert.Matches("-Environment is empty|no environment|environment.* name", error.Exception.Message);
        }
    }

    [Fact]
    public void Names_are_completed()
    {
        CommandCompletion completion = CommandCompletion.CompleteInput(
            "Get-SecureAppAccessToken -Environment USG", 41, null, PowerShell.Create(_engine.Runspace));

        Assert.Equal(["USGov", "USGovDoD", "USGovGCC"], completion.CompletionMatches.Select(match => match.CompletionText));
    }
}
