using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Gcits;

/// <summary>The function as a part of the module: exported, removed, and in the way of pasted copies.</summary>
public sealed class GcitsImportTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    private const string Pasted = "function Get-GCITSAccessTokenByResource($AppCredential, $tenantid, $Resource) { 'pasted' }";

    [Fact]
    public void Its_parameters_are_positional_and_none_is_mandatory()
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run(
            "(Get-Command Get-GCITSAccessTokenByResource).ScriptBlock.Ast.ParamBlock.Parameters | ForEach-Object { $_.Name.VariablePath.UserPath + ' ' + $_.Attributes.Count }")
            .Succeeded();

        Assert.Equal(["AppCredential 0", "tenantid 0", "Resource 0"], outcome.Output.Select(item => item.ToString()));
    }

    [Fact]
    public void It_goes_when_the_module_goes()
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run(
            "Remove-Module SecureAppModel; @(Get-Command Get-GCITSAccessTokenByResource -ErrorAction Ignore).Count; @(Get-Module).Count").Succeeded();

        Assert.Equal([0, 0], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void The_module_is_listed_alone()
    {
        using Engine engine = Engine.Open();

        Assert.Equal("SecureAppModel", engine.Run("Get-Module | ForEach-Object Name").Single<string>());
    }

    [Fact]
    public void Importing_is_quiet_without_a_pasted_copy()
    {
        using Engine engine = Engine.Bare();

        Assert.Empty(engine.Run("param($path) Import-Module $path; Import-Module $path -Force", Repository.Manifest).Succeeded().Warnings);
    }

    [Fact]
    public void Importing_warns_of_a_copy_in_the_session()
    {
        using Engine engine = Engine.Bare();
        engine.Run(Pasted).Succeeded();

        Outcome outcome = engine.Run("param($path) Import-Module $path", Repository.Manifest).Succeeded();

        Assert.Contains("delete the function from the script", Assert.Single(outcome.Warnings));
    }

    [Fact]
    public void Importing_warns_of_a_copy_that_only_the_importing_script_sees()
    {
        using Engine engine = Engine.Bare();
        string folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
        string helper = Path.Combine(folder, "helper.ps1");
        string script = Path.Combine(folder, "script.ps1");
        File.WriteAllText(helper, Pasted);
        File.WriteAllText(script, "param($path) . \"$PSScriptRoot/helper.ps1\"; Import-Module $path; Get-GCITSAccessTokenByResource 1 2 3");

        Outcome outcome = engine.Run("param($script, $path) & $script $path", script, Repository.Manifest).Succeeded();
        Directory.Delete(folder, recursive: true);

        Assert.Equal("pasted", outcome.Single<string>());
        Assert.Contains(helper, Assert.Single(outcome.Warnings));
    }

    [Fact]
    public void A_prefix_changes_nothing_but_the_name()
    {
        using Engine engine = Engine.Open().Join(shared.Sandbox);

        Outcome outcome = engine.Run(
            """
            param($path)
            Remove-Module SecureAppModel
            Import-Module $path -Prefix My
            Set-MySecureAppDefault -Environment $sandbox.Environment
            $AppCredential = @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; refreshToken = $sandbox.RefreshToken }
            Get-MyGCITSAccessTokenByResource $AppCredential $customer 'https://graph.microsoft.com'
            """,
            Repository.Manifest).Succeeded();

        Jwt.ForAudience("https://graph.microsoft.com", shared.Sandbox.Facts.Tenants[0].TenantId, outcome.Single<string>());
    }
}
