using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Module;

/// <summary>The manifest says what the module is; the staged files must be just that.</summary>
public sealed partial class ManifestTests
{
    private static readonly Hashtable s_manifest = Read(Repository.Manifest);

    [Fact]
    public void The_version_is_that_of_the_Rust_workspace()
    {
        string cargo = File.ReadAllText(Path.Combine(Repository.Root, "Cargo.toml"));
        string version = WorkspaceVersion().Match(cargo).Groups["version"].Value;

        Assert.Equal(version, s_manifest["ModuleVersion"]);
        Assert.Equal(version, Repository.Version);
        Assert.Equal(version, Path.GetFileName(Repository.Module));
    }

    [Fact]
    public void The_exported_cmdlets_are_exactly_those_of_the_assembly()
    {
        using Engine engine = Engine.Bare();

        // The assembly alone exports all that it has; the manifest names what it should.
        Outcome found = engine.Run(
            "param($path) (Import-Module -Name $path -PassThru).ExportedCmdlets.Keys",
            Path.Combine(Repository.Module, "SecureAppModel.dll")).Succeeded();

        // New-PartnerAccessToken has a manifest of its own, whose function calls it.
        Assert.Equal(Names(s_manifest["CmdletsToExport"]).Append("New-PartnerAccessToken").Order(StringComparer.Ordinal), Names(found.Output.Select(item => item.BaseObject).ToArray()));
    }

    [Fact]
    public void What_the_manifest_exports_is_there_after_an_import()
    {
        using Engine engine = Engine.Open();

        foreach ((string key, string property) in new[]
        {
            ("CmdletsToExport", "ExportedCmdlets"), ("FunctionsToExport", "ExportedFunctions"), ("AliasesToExport", "ExportedAliases"),
        })
        {
            Outcome found = engine.Run("param($property) (Get-Module -Name SecureAppModel).$property.Keys", property).Succeeded();
            Assert.Equal(Names(s_manifest[key]), Names(found.Output.Select(item => item.BaseObject).ToArray()));
        }
    }

    [Fact]
    public void Nothing_is_exported_by_a_wildcard()
    {
        foreach (string key in new[] { "CmdletsToExport", "FunctionsToExport", "AliasesToExport", "VariablesToExport" })
        {
            Assert.DoesNotContain(Names(s_manifest[key]), name => name.Contains('*'));
        }
    }

    [Fact]
    public void Every_file_that_the_manifest_names_is_staged()
    {
        string[] keys = ["RootModule", "NestedModules", "FormatsToProcess", "TypesToProcess", "ScriptsToProcess", "FileList"];
        foreach (string name in keys.SelectMany(key => Names(s_manifest[key])))
        {
            Assert.True(File.Exists(Path.Combine(Repository.Module, name)), $"{name} is named in the manifest but not staged.");
        }
    }

    [Fact]
    public void An_import_says_nothing_and_changes_no_function_of_the_session()
    {
        using Engine engine = Engine.Bare();

        Outcome import = engine.Run("param($path) Import-Module -Name $path", Repository.Manifest).Succeeded();

        Assert.Empty(import.Output);
        Assert.Empty(import.Warnings);
        Assert.Equal(string.Empty, import.Screen);
    }

    [Fact]
    public void Names_follow_the_approved_verbs_and_singular_nouns()
    {
        using Engine engine = Engine.Open();
        Outcome commands = engine.Run("Get-Command -Module SecureAppModel -CommandType Cmdlet").Succeeded();

        HashSet<string> verbs = [.. new[] { typeof(VerbsCommon), typeof(VerbsCommunications), typeof(VerbsData), typeof(VerbsDiagnostic), typeof(VerbsLifecycle), typeof(VerbsOther), typeof(VerbsSecurity) }
            .SelectMany(type => type.GetFields()).Select(field => (string)field.GetValue(null)!)];
        Assert.NotEmpty(commands.Output);
        Assert.All(commands.Output.Select(item => (CmdletInfo)item.BaseObject), command =>
        {
            Assert.Contains(command.Verb, verbs);
            Assert.False(command.Noun.EndsWith('s'), $"{command.Name} has a plural noun.");
        });
    }

    internal static string[] Names(object? value) => value switch
    {
        null => [],
        string text => [text],
        IEnumerable many => [.. many.Cast<object>().Select(item => item.ToString()!).Order(StringComparer.Ordinal)],
        _ => [value.ToString()!],
    };

    internal static Hashtable Read(string path)
    {
        ScriptBlockAst script = Parser.ParseFile(path, out _, out ParseError[] errors);
        Assert.Empty(errors);
        Ast table = script.Find(node => node is HashtableAst, searchNestedScriptBlocks: false);
        return (Hashtable)table.SafeGetValue();
    }

    [GeneratedRegex(@"^\[workspace\.package\][^\[]*?^version = ""(?<version>[^""]+)""", RegexOptions.Multiline)]
    private static partial Regex WorkspaceVersion();
}
