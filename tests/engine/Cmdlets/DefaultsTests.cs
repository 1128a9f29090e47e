using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>What a session uses when a command is not told.</summary>
public sealed class DefaultsTests : IDisposable
{
    private const string MakeCredential =
        "@{ appId = '2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001'; secret = 'x' }";

    private readonly Engine _engine = Engine.Open();

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void There_are_none_at_first()
    {
        PSObject defaults = _engine.Run("Get-SecureAppDefault").Succeeded().Output.Single();

        Assert.Null(defaults.Properties["Credential"].Value);
        Assert.Null(defaults.Properties["Environment"].Value);
    }

    [Fact]
    public void Each_can_be_set_and_cleared_alone()
    {
        Outcome outcome = _engine.Run(
            $$"""
            Set-SecureAppDefault -Credential {{MakeCredential}}
            Set-SecureAppDefault -Environment usgov
            Get-SecureAppDefault -Environment
            (Get-SecureAppDefault -Credential).HasSecret
            Clear-SecureAppDefault -Environment
            $null -eq (Get-SecureAppDefault).Environment
            $null -eq (Get-SecureAppDefault).Credential
            Clear-SecureAppDefault
            $null -eq (Get-SecureAppDefault).Credential
            """).Succeeded();

        Assert.Equal(["USGov", true, true, false, true], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_credential_is_piped_and_one_alone()
    {
        const string Other = "@{ appId = '2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a002'; secret = 'x' }";
        Outcome outcome = _engine.Run(
            "New-SecureAppCredential -ApplicationId 2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001 -Secret x | Set-SecureAppDefault -Environment USGov; (Get-SecureAppDefault -Credential).ApplicationId; Get-SecureAppDefault -Environment").Succeeded();

        Assert.Equal(["2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001", "USGov"], outcome.Output.Select(item => item.BaseObject));
        Assert.Contains("More than one credential", _engine.Refused($"{MakeCredential}, {Other} | Set-SecureAppDefault").Exception.Message);
        Assert.Contains("Nothing to set", _engine.Refused("@() | Set-SecureAppDefault").Exception.Message);
        Assert.Equal("2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001", _engine.Run("(Get-SecureAppDefault -Credential).ApplicationId").Single<string>());
    }

    [Fact]
    public void They_belong_to_one_runspace()
    {
        _engine.Run("Set-SecureAppDefault -Environment USGov").Succeeded();
        using Engine other = Engine.Open();

        Assert.Equal("True", other.Run("\"$($null -eq (Get-SecureAppDefault).Environment)\"").Succeeded().Single<string>());
    }

    [Fact]
    public void An_unknown_environment_is_refused_and_changes_nothing()
    {
        ErrorRecord error = _engine.Refused($"Set-SecureAppDefault -Credential {MakeCredential} -Environment Nowhere");

        Assert.Contains("There is no environment of the name", error.Exception.Message);
        Assert.Equal("Nowhere", error.TargetObject);
        Assert.Equal("True", _engine.Run("\"$($null -eq (Get-SecureAppDefault).Credential)\"").Succeeded().Single<string>());
    }

    [Fact]
    public void An_empty_variable_is_told_as_one_whether_there_is_a_default_or_not()
    {
        foreach (string first in new[] { "", $"Set-SecureAppDefault -Credential {MakeCredential}; " })
        {
            ErrorRecord error = _engine.Refused(first + "Set-SecureAppDefault -Credential $undefined");

            Assert.Contains("-Credential was given, but is empty", error.Exception.Message);
            Assert.Contains("variable", error.ErrorDetails.RecommendedAction);
        }

        Assert.True(_engine.Run("(Get-SecureAppDefault -Credential).HasSecret").Succeeded().Single<bool>());
    }

    [Fact]
    public void Importing_the_module_anew_keeps_them()
    {
        _engine.Run($"Set-SecureAppDefault -Credential {MakeCredential} -Environment USGov").Succeeded();

        Outcome outcome = _engine.Run(
            """
            param($path)
            Import-Module $path -Force
            Get-SecureAppDefault -Environment
            Get-Module SecureAppModel | Import-Module -Force
            (Get-SecureAppDefault).Environment
            (Get-SecureAppDefault -Credential).ApplicationId
            """,
            Repository.Manifest).Succeeded();

        Assert.Equal(["USGov", "USGov", "2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001"], outcome.Output.Select(item => item.BaseObject));
    }

    /// <summary>An import is under way here as well, but not this module's.</summary>
    [Fact]
    public void A_module_that_removes_this_one_while_it_is_imported_makes_it_forget_them()
    {
        string folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
        string other = Path.Combine(folder, "Other.psm1");
        File.WriteAllText(other, "Remove-Module SecureAppModel");

        Outcome outcome = _engine.Run(
            "param($other, $path) Set-SecureAppDefault -Environment USGov; Import-Module $other; Import-Module $path; \"$((Get-SecureAppDefault).Environment)\"",
            other,
            Repository.Manifest);
        Directory.Delete(folder, recursive: true);

        Assert.Equal(string.Empty, outcome.Succeeded().Single<string>());
    }

    [Fact]
    public void Removing_the_module_forgets_them()
    {
        _engine.Run("Set-SecureAppDefault -Environment USGov; Remove-Module SecureAppModel").Succeeded();

        Outcome outcome = _engine.Run("param($path) Import-Module $path; \"$($null -eq (Get-SecureAppDefault).Environment)\"", Repository.Manifest);

        Assert.Equal("True", outcome.Succeeded().Single<string>());
    }
}
