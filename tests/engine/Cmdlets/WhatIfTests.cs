using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>What a command that removes something says before it does.</summary>
public sealed class WhatIfTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    [Theory]
    [InlineData("", false)]
    [InlineData("-Force", true)]
    public void An_export_says_whether_it_removes_earlier_ones(string how, bool removes)
    {
        using Engine engine = Engine.Open().Join(shared.Sandbox);
        engine.Set("folder", Path.Combine(Path.GetTempPath(), $"secureapp-{Guid.NewGuid():n}"));

        string screen = engine.Run($"Export-SecureAppAuditLog $customer $folder -WhatIf {how}").Succeeded().Screen;

        Assert.Contains("export audit log from", screen, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(removes, screen.Contains("Remove earlier exports", StringComparison.Ordinal));
    }
}
