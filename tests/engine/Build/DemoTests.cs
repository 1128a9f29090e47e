using System.Diagnostics;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Build;

/// <summary>The README's first command does what it says, and says so in its exit code.</summary>
[Collection(AloneCollection.Name)]
public sealed class DemoTests
{
    [Fact]
    public async Task The_demo_exports_everybody_and_agrees_with_the_sandbox()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Repository.Demo);
        using Process demo = Process.Start(start)!;
        demo.StandardInput.Close();
        Task<string> errors = demo.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string screen = await demo.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await demo.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(demo.ExitCode == 0, screen + await errors);
        Assert.Contains("All 25 customers agree: 12,000 records, each once.", screen);
        Assert.DoesNotContain("eyJ", screen);
        string[] files = [.. screen.Split('\n', StringSplitOptions.TrimEntries)
            .Where(line => line.Contains("manifest.json", StringComparison.Ordinal)).Select(line => line[..(line.IndexOf("manifest.json", StringComparison.Ordinal) + 13)])];
        Assert.Equal(25, files.Length);
        Assert.All(files, file => Assert.True(File.Exists(file), file));
    }
}
