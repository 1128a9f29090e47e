using System.Diagnostics;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;

namespace SecureAppModel.EngineTests.Build;

/// <summary>The README's first command does what it says, and says so in its exit code.</summary>
[Collection(AloneCollection.Name)]
public sealed class DemoTests
{
    [Fact]
    public void The_demo_exports_everybody_and_agrees_with_the_sandbox()
    {
        (int exit, string screen, string errors) = Within.Run(new ProcessStartInfo("dotnet", [Repository.Demo]), limit: TimeSpan.FromMinutes(10));

        Assert.True(exit == 0, screen + errors);
        Assert.Contains("All 25 customers agree: 12,000 records, each once.", screen);
        Assert.DoesNotContain("eyJ", screen);
        string[] files = [.. screen.Split('\n', StringSplitOptions.TrimEntries)
            .Where(line => line.Contains("manifest.json", StringComparison.Ordinal)).Select(line => line[..(line.IndexOf("manifest.json", StringComparison.Ordinal) + 13)])];
        Assert.Equal(25, files.Length);
        Assert.All(files, file => Recorder.Hear(Place.File, "the demo's manifest", File.ReadAllText(file)));
    }
}
