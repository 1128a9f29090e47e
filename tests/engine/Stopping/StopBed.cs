using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.PartnerCenter;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Stopping;

/// <summary>What the tests of stops have in common: a session that has asked nothing yet, and what a stop must not leave.</summary>
internal static class StopBed
{
    /// <summary>The application's own credential and its user's, for the scripts of <see cref="StopTable"/>.</summary>
    internal const string Ask = """
        $application = @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret; tenantId = $sandbox.PartnerTenantId }
        $user = $application.Clone(); $user.refreshToken = $sandbox.RefreshToken

        """;

    internal static Engine Open(Sandbox sandbox, out string folder)
    {
        folder = Directory.CreateTempSubdirectory("secureapp-stop-").FullName;
        Engine engine = Engine.Open().Join(sandbox).WithPartnerCommand();
        engine.Set("folder", folder);
        sandbox.ResetStats();
        return engine;
    }

    internal static int Requests(Sandbox sandbox) => sandbox.Stats()["requests"]!.GetValue<int>();

    /// <summary>An export that was stopped says so in whatever manifest it left.</summary>
    internal static void Incomplete(string folder)
    {
        foreach (string manifest in Directory.EnumerateFiles(folder, "manifest.json", SearchOption.AllDirectories))
        {
            JsonNode content = JsonNode.Parse(File.ReadAllText(manifest))!;
            Assert.False(content["complete"]!.GetValue<bool>());
            Assert.NotEmpty(content["reason"]!.GetValue<string>());
        }

        Recorder.HearAndDelete(folder);
    }
}
