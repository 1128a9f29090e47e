using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.PartnerCenter;

/// <summary>Stands for the PartnerCenter module's own cmdlet.</summary>
[Cmdlet(VerbsCommon.New, "PartnerAccessToken")]
public sealed class OtherPartnerAccessTokenCommand : Cmdlet
{
    protected override void ProcessRecord() => WriteObject("the other one");
}

/// <summary>Where the PartnerCenter module is imported as well: the import says which command is called, and so it is.</summary>
public sealed class PartnerPrecedenceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-partner-").FullName;
    private readonly Engine _engine = Engine.Open();

    public PartnerPrecedenceTests()
    {
        string module = Path.Combine(_folder, "PartnerCenter.psd1");
        File.WriteAllText(
            module,
            $"@{{ RootModule = '{typeof(PartnerPrecedenceTests).Assembly.Location}'; ModuleVersion = '3.0.10'; CmdletsToExport = @('New-PartnerAccessToken') }}");
        _engine.Set("other", module);
        _engine.Set("ours", PartnerModule.Manifest);
    }

    public void Dispose()
    {
        _engine.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void An_import_beside_the_other_says_which_is_called()
    {
        Outcome import = _engine.Run("Import-Module $other; New-PartnerAccessToken; Import-Module $ours").Succeeded();

        Assert.Equal("the other one", import.Single<string>());
        string warning = Assert.Single(import.Warnings);
        Assert.Contains("is SecureAppModel's from now on", warning);
        Assert.Contains("PartnerCenter\\New-PartnerAccessToken still calls the other", warning);
        Assert.Equal(PartnerModule.Name, Called());
        Assert.Equal("the other one", _engine.Run("PartnerCenter\\New-PartnerAccessToken").Succeeded().Single<string>());
    }

    /// <summary>As Connect-PartnerCenter imports it, by being called.</summary>
    [Fact]
    public void It_stays_this_modules_when_the_other_is_imported_later()
    {
        Outcome import = _engine.Run("Import-Module $ours; Import-Module $other").Succeeded();

        Assert.Empty(import.Warnings);
        Assert.Equal(PartnerModule.Name, Called());
    }

    [Fact]
    public void A_removal_gives_the_name_back()
    {
        Outcome outcome = _engine.Run($"Import-Module $other, $ours -WarningAction Ignore; Remove-Module {PartnerModule.Name}; New-PartnerAccessToken").Succeeded();

        Assert.Equal("the other one", outcome.Single<string>());
    }

    private string Called() => _engine.Run("(Get-Command New-PartnerAccessToken).Source").Single<string>();
}
