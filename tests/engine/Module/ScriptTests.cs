using System.Management.Automation.Language;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Module;

/// <summary>Every script in the clone is one for the real parser.</summary>
public sealed class ScriptTests
{
    public static TheoryData<string> Scripts() =>
        [.. Repository.Files(".ps1", ".psm1", ".psd1").Select(path => Path.GetRelativePath(Repository.Root, path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void A_script_parses(string path)
    {
        Parser.ParseFile(Path.Combine(Repository.Root, path), out _, out ParseError[] errors);

        Assert.Empty(errors.Select(error => $"{error.Extent.StartLineNumber}: {error.Message}"));
    }

    /// <summary>Windows PowerShell 5.1 reads a file without a byte-order mark in the machine's code page.</summary>
    [Theory]
    [MemberData(nameof(Scripts))]
    public void A_script_is_plain_ASCII(string path)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, path));

        Assert.DoesNotContain(text, character => character > 127);
    }
}
