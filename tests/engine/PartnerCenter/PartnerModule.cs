using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.PartnerCenter;

/// <summary>The module for scripts that call the PartnerCenter module's command.</summary>
internal static class PartnerModule
{
    public const string Name = "SecureAppModel.PartnerCenter";

    public static string Manifest { get; } = Path.Combine(Repository.Module, Name + ".psd1");

    /// <summary>Imports it as its page says, and sets <c>$appCredential</c> where the session is joined to a sandbox.</summary>
    public static Engine WithPartnerCommand(this Engine engine)
    {
        engine.Run(
            """
            Import-Module "$((Get-Module SecureAppModel).ModuleBase)/SecureAppModel.PartnerCenter.psd1" -ErrorAction Stop
            if ($sandbox) { $global:appCredential = [pscredential]::new($sandbox.ApplicationId, (ConvertTo-Secret $sandbox.Secret)) }
            """).Succeeded();
        return engine;
    }

    /// <summary>A session in which only the environment is the sandbox's: the command asks for no default credential.</summary>
    public static Engine Open(Sandbox sandbox)
    {
        Engine engine = Engine.Open().Join(sandbox).WithPartnerCommand();
        engine.Run("Clear-SecureAppDefault; Set-SecureAppDefault -Environment $sandbox.Environment").Succeeded();
        return engine;
    }
}
