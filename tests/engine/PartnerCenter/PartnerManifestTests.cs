using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Module;

namespace SecureAppModel.EngineTests.PartnerCenter;

/// <summary>The second manifest: what it says, that it says nothing by itself, and that nobody gets it without asking.</summary>
public sealed class PartnerManifestTests
{
    private static readonly Hashtable s_manifest = ManifestTests.Read(PartnerModule.Manifest);

    [Fact]
    public void It_belongs_to_the_module_that_it_lies_in()
    {
        Hashtable main = ManifestTests.Read(Repository.Manifest);
        var required = (Hashtable)Assert.Single((object[])s_manifest["RequiredModules"]!);

        Assert.Equal("SecureAppModel", required["ModuleName"]);
        Assert.Equal(main["GUID"], required["GUID"]);
        Assert.Equal(main["ModuleVersion"], required["RequiredVersion"]);
        Assert.Equal(main["ModuleVersion"], s_manifest["ModuleVersion"]);
        Assert.NotEqual(main["GUID"], s_manifest["GUID"]);
        Assert.True(File.Exists(Path.Combine(Repository.Module, (string)s_manifest["RootModule"]!)));
    }

    [Fact]
    public void It_exports_one_command_and_the_module_itself_does_not()
    {
        Assert.Equal(["New-PartnerAccessToken"], ManifestTests.Names(s_manifest["FunctionsToExport"]));
        Assert.All(["CmdletsToExport", "AliasesToExport", "VariablesToExport"], key => Assert.Empty(ManifestTests.Names(s_manifest[key])));

        using Engine engine = Engine.Open();
        Assert.Empty(engine.Run("Get-Command New-PartnerAccessToken -ErrorAction Ignore").Output);
        engine.WithPartnerCommand();
        Assert.Equal(PartnerModule.Name, engine.Run("(Get-Command New-PartnerAccessToken).Source").Single<string>());
        Assert.Equal(["New-PartnerAccessToken"], engine.Run($"(Get-Module {PartnerModule.Name}).ExportedCommands.Keys").Output.Select(name => name.ToString()));
    }

    [Fact]
    public void An_import_says_nothing_and_a_removal_leaves_nothing()
    {
        using Engine engine = Engine.Open();
        engine.Run("Set-SecureAppDefault -Environment USGov").Succeeded();

        Outcome import = engine.Run("param($path) Import-Module $path; Import-Module $path -Force", PartnerModule.Manifest).Succeeded();
        Assert.Empty(import.Output);
        Assert.Empty(import.Warnings);
        Assert.Equal(string.Empty, import.Screen);
        Assert.Equal([PartnerModule.Name, "SecureAppModel"], engine.Run("Get-Module | ForEach-Object Name").Output.Select(name => name.ToString()).Order(StringComparer.Ordinal).Reverse());

        Outcome after = engine.Run(
            $"Remove-Module {PartnerModule.Name}; @(Get-Command New-PartnerAccessToken -ErrorAction Ignore).Count; (Get-SecureAppDefault).Environment").Succeeded();
        Assert.Equal([0, "USGov"], after.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void Without_the_module_it_is_not_imported()
    {
        ChildResult child = ChildEngine.Run(
            """
            param($path)
            try { Import-Module $path -ErrorAction Stop } catch { "$($_.FullyQualifiedErrorId)" }
            """,
            PartnerModule.Manifest);

        Assert.StartsWith("Modules_", Assert.Single(child.Lines));
    }

    /// <summary>The folders are as an installer lays them out.</summary>
    [Fact]
    public void Typing_its_name_gets_an_installed_PartnerCenter_or_nothing()
    {
        string folder = Directory.CreateTempSubdirectory("secureapp-modules-").FullName;
        try
        {
            string installed = Path.Combine(folder, "SecureAppModel", Repository.Version);
            foreach (string file in Directory.EnumerateFiles(Repository.Module, "*", SearchOption.AllDirectories))
            {
                string target = Path.Combine(installed, Path.GetRelativePath(Repository.Module, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }

            const string script = """
                try { New-PartnerAccessToken } catch { $_.FullyQualifiedErrorId }
                try { "environments: $(@(Get-SecureAppEnvironment).Count -gt 0)" } catch { $_.FullyQualifiedErrorId }
                @(Get-Module -ListAvailable | ForEach-Object Name) -match 'Partner|SecureApp' -join ' '
                """;
            (string, string)[] variables = [("PSModulePath", folder)];
            using (ChildEngine alone = ChildEngine.StartWith(variables, script))
            {
                Assert.Equal(["CommandNotFoundException", "environments: True", "SecureAppModel"], alone.Wait().Succeeded().Lines);
            }

            string other = Directory.CreateDirectory(Path.Combine(folder, "PartnerCenter")).FullName;
            File.WriteAllText(Path.Combine(other, "PartnerCenter.psm1"), "function New-PartnerAccessToken { 'the other one' }");
            File.WriteAllText(
                Path.Combine(other, "PartnerCenter.psd1"),
                "@{ RootModule = 'PartnerCenter.psm1'; ModuleVersion = '3.0.10'; FunctionsToExport = @('New-PartnerAccessToken') }");
            using ChildEngine beside = ChildEngine.StartWith(variables, "$null = Get-SecureAppEnvironment\n" + script);
            Assert.Equal(["the other one", "environments: True", "PartnerCenter SecureAppModel"], beside.Wait().Succeeded().Lines);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Its_help_describes_the_command_and_each_parameter()
    {
        using Engine engine = Engine.Open().WithPartnerCommand();

        HelpTests.Describes(engine, "New-PartnerAccessToken");
        HelpTests.HasExamples(engine, "New-PartnerAccessToken");
    }

    /// <summary>Of the same assembly, and of no manifest: its function calls it by its type.</summary>
    [Fact]
    public void The_work_is_a_cmdlet_that_no_module_exports()
    {
        using Engine engine = Engine.Open().WithPartnerCommand();

        Assert.Empty(engine.Run("Get-Command New-PartnerAccessToken -CommandType Cmdlet -ErrorAction Ignore").Output);
        Assert.Equal(CommandTypes.Function, engine.Run("Get-Command New-PartnerAccessToken").Single<CommandInfo>().CommandType);
    }
}
